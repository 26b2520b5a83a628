/** The kernels that processors without AVX-512 run. */
export function avx2Engine(project) {
  const { addon } = project.loadAddon();
  return project.openNativeEngine(
    addon,
    { threads: 1 },
    addon.sets.find(({ name }) => name === 'avx2'),
  );
}

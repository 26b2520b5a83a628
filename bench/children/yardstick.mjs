/** A fixed amount of float64 work in plain JavaScript, about half a processor second: what commands are measured in. */
const N = 160;
const a = Float64Array.from({ length: N * N }, (_, i) => Math.sin(i));
const out = new Float64Array(N * N);
for (let pass = 0; pass < 100; pass++) {
  for (let i = 0; i < N; i++) {
    for (let k = 0; k < N; k++) {
      const x = a[i * N + k];
      for (let j = 0; j < N; j++) out[i * N + j] += x * a[k * N + j];
    }
  }
}
console.log(out[N + 1]);

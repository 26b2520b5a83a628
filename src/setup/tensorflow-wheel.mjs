/** Which TensorFlow wheel carries the shared libraries for @tensorflow/tfjs-node, and how they are taken out of it. */

/**
 * 2.15 is a release whose C API stands in a library of its own (libtensorflow_cc), free of Python symbols; the package was
 * written for 2.9 and uses only calls that are in both.
 */
export const WHEEL = {
  name: 'tensorflow-cpu',
  version: '2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  megabytes: 207,
  libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  pipArguments: [
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    // the wheel of one Python version, whatever Python is here: none of its Python code is used
    ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
    ...['--platform', 'manylinux2014_x86_64', '--require-hashes'],
  ],
};

/** Python: arguments wheel, target. Writes target/lib/*.so.2 and target/include/{tensorflow,tsl}. */
export const UNPACK_WHEEL = `
import os, shutil, sys, zipfile
wheel, target = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
headers = 'tensorflow/include/'
wanted = tuple(headers + part for part in ('tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/'))
for name in wheel.namelist():
    if name.endswith('/'):
        continue
    if name.startswith(wanted):
        to = os.path.join(target, 'include', name[len(headers):])
    elif name in (${WHEEL.libraries.map((name) => `'tensorflow/${name}'`).join(', ')}):
        to = os.path.join(target, 'lib', os.path.basename(name))
    else:
        continue
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with wheel.open(name) as source, open(to, 'wb') as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
`;

/**
 * The number embeddings of a run at all its checkpoints in one plane: that of the first two principal components of the last
 * one. Every other step is rotated (or reflected) onto the last by Procrustes before it is projected, so that a picture does
 * not spin, and the planes of all runs are turned onto that of the first. Every step is drawn at the same size, and its own is said.
 */
import { centred, matMul, type Matrix, matrix, squaredNorm, transpose } from '../../analysis/matrix.js';
import { fitPca } from '../../analysis/geometry/pca.js';
import { alignTo } from '../../analysis/geometry/procrustes.js';
import { nine } from '../../evidence/statistic.js';

export interface StepRows {
  readonly step: number;
  /** [n, d] row i is number i */
  readonly rows: Matrix;
}

export interface RunPlane {
  /** share of the variance of the last step that lies in the plane */
  readonly share: number;
  readonly steps: readonly {
    readonly step: number;
    /** of the whole configuration, as a share of that at the last step */
    readonly size: number;
    /** [n][2] of a configuration of norm 1 */
    readonly points: readonly (readonly [number, number])[];
  }[];
}

/** Fewer digits than a screen shows cost an address nothing and a page half its bytes. */
const DIGITS = 5;

/**
 * @param steps - at least one, ascending; n of 2 or more
 * @throws RunError when all rows of a step are equal
 */
export function planeOfRun(steps: readonly StepRows[]): RunPlane {
  const last = steps[steps.length - 1].rows;
  const pca = fitPca(last, { maxComponents: 2 });
  const whole = Math.sqrt(squaredNorm(centred(last)));
  const directions = transpose(pca.components);
  const [first = 0, second = 0] = pca.explainedVarianceRatio;
  return {
    share: nine(first + second),
    steps: steps.map(({ step, rows }) => {
      const aligned = rows === last ? centred(last) : alignTo(last, rows, { scaling: false }).aligned;
      const size = Math.sqrt(squaredNorm(aligned));
      return { step, size: nine(size / whole), points: pairs(matMul(aligned, directions), size) };
    }),
  };
}

/** The planes of several runs, each turned or reflected within itself so that its last step lies as that of the first run. */
export function turnedTogether(planes: readonly RunPlane[]): RunPlane[] {
  const [reference] = planes;
  const target = lastPoints(reference);
  return planes.map((plane, i) => {
    if (i === 0) return plane;
    const { rotation } = alignTo(target, lastPoints(plane), { scaling: false });
    return {
      ...plane,
      steps: plane.steps.map(({ points, ...rest }) => ({
        ...rest,
        points: pairs(matMul(toMatrix(points), rotation), 1),
      })),
    };
  });
}

function lastPoints({ steps }: RunPlane): Matrix {
  return toMatrix(steps[steps.length - 1].points);
}

function toMatrix(points: readonly (readonly [number, number])[]): Matrix {
  return matrix(points.length, 2, points.flat());
}

/** [n, 1 or 2] as pairs; a missing second coordinate is 0. */
function pairs(x: Matrix, size: number): [number, number][] {
  const at = (i: number): number => Number((x.data[i] / size).toPrecision(DIGITS)) + 0;
  return Array.from({ length: x.rows }, (_, i) => [at(i * x.cols), x.cols > 1 ? at(i * x.cols + 1) : 0]);
}

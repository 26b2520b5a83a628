/** Covariance ellipses of points in a plane, such as one number's place over seeds after alignment. */
import { assertFinite } from '../../tensor/shape.js';
import { logDeterministic } from '../../tensor/math.js';

export interface Ellipse {
  readonly centre: readonly [number, number];
  /** half-axes, longest first, in the units of the points */
  readonly semiAxes: readonly [number, number];
  /** angle of the longest axis from the first coordinate, radians in (-pi/2, pi/2] */
  readonly angle: number;
  readonly level: number;
  readonly n: number;
}

/**
 * The ellipse that holds `level` of a bivariate normal distribution with the points' mean and covariance (n - 1). It
 * describes the spread of seeds, not the uncertainty of their mean.
 * @param points - [n, 2] row-major, n >= 3
 */
export function covarianceEllipse(points: Float64Array, level = 0.95): Ellipse {
  const n = points.length / 2;
  if (!Number.isInteger(n) || n < 3) {
    throw new RangeError(
      `covarianceEllipse: found ${points.length} coordinates, expected [n,2] with n >= 3.`,
    );
  }
  if (!(level > 0 && level < 1))
    throw new RangeError(`covarianceEllipse: found level ${level}, expected 0 to 1.`);
  assertFinite(points, 'covarianceEllipse: points');
  let [mx, my, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    mx += points[2 * i] / n;
    my += points[2 * i + 1] / n;
  }
  for (let i = 0; i < n; i++) {
    const dx = points[2 * i] - mx;
    const dy = points[2 * i + 1] - my;
    xx += (dx * dx) / (n - 1);
    xy += (dx * dy) / (n - 1);
    yy += (dy * dy) / (n - 1);
  }
  const middle = (xx + yy) / 2;
  const half = Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy);
  // chi-squared with 2 degrees of freedom has quantile -2 log(1 - level)
  const radius = -2 * logDeterministic(1 - level);
  return {
    centre: [mx, my],
    semiAxes: [Math.sqrt(radius * (middle + half)), Math.sqrt(radius * Math.max(middle - half, 0))],
    angle: half === 0 ? 0 : Math.atan2(2 * xy, xx - yy) / 2,
    level,
    n,
  };
}

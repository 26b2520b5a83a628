/** A number with three significant digits and no exponent: 0.0421, 5.93, 1430. */
export function figure(value) {
  return value < 0.001 ? String(Number(value.toPrecision(2))) : String(Number(value.toPrecision(3)));
}

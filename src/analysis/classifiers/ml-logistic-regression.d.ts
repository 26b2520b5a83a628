/** Types of the parts of ml-logistic-regression 2 that the cross-check uses; the package has none. */
declare module 'ml-logistic-regression' {
  import type { Matrix } from 'ml-matrix';

  export default class LogisticRegression {
    constructor(options: { readonly numSteps: number; readonly learningRate: number });
    /** @param target - column of class ids 0..K-1 */
    train(features: Matrix, target: Matrix): void;
    /** @returns class ids */
    predict(features: Matrix): number[];
  }
}

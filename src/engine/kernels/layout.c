/* Widths of rows, for TypeScript: they depend on the vectors of this build. */
#include "drivers.h"

/* A width rounded up to whole groups of LANES numbers. */
EXPORT(padded_width)
int padded_width(int n) { return padded(n); }

/* Numbers from one row of activations to the next. */
EXPORT(row_numbers)
int row_numbers(int n) { return row_stride(n); }

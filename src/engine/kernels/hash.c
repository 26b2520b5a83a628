/* The hash of the sources this build was made from, given by the builder: the loaders compare it. */
#include "drivers.h"

#define STRING(x) #x
#define TEXT(x) STRING(x)

EXPORT(kernel_hash)
const char *kernel_hash(void) { return TEXT(KERNEL_HASH); }

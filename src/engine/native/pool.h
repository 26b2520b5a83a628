/* Threads for kernels/parallel.h. */
#ifndef SUMLENS_POOL_H
#define SUMLENS_POOL_H
#include "../kernels/parallel.h"

/* A pool of `threads` (at least 2) counting the caller; NULL when threads cannot be started. */
pool *pool_create(int threads);
void pool_destroy(pool *p);
#endif

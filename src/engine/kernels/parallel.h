/* Running independent tasks, on a pool of threads where there is one. Tasks write disjoint outputs, so that no number
 * depends on the pool. */
#ifndef SUMLENS_PARALLEL_H
#define SUMLENS_PARALLEL_H

typedef void (*task_function)(void *context, int task);

typedef struct pool {
  int threads;
  /* returns when every task has run */
  void (*run)(struct pool *self, task_function task, void *context, int n_tasks);
} pool;

/* pool may be NULL: one thread */
static inline void parallel_run(pool *p, task_function task, void *context, int n_tasks) {
  if (p && n_tasks > 1) {
    p->run(p, task, context, n_tasks);
  } else {
    for (int i = 0; i < n_tasks; i++) task(context, i);
  }
}
static inline int parallel_threads(const pool *p) { return p ? p->threads : 1; }
#endif

/* A persistent pool: workers spin for a moment after each job, then sleep. The caller works too. Which thread runs which
 * task is left to chance; tasks write disjoint outputs, so that no result depends on it. */
#define _GNU_SOURCE
#include "pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* glibc 2.34 gave these two a new version without a new meaning; with the old one the addon loads on older systems too. */
#if defined(__x86_64__) && defined(__GLIBC__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
#endif

#define SPINS 4000 /* some 20-50 us: longer than the serial part between two jobs of one training step */

typedef struct {
  pool base;
  pthread_t *workers;
  int n_workers;
  task_function task;
  void *context;
  int n_tasks;
  atomic_int next;
  atomic_int open, active; /* whether a job may be joined; workers that have joined, or are about to look */
  atomic_uint job;
  atomic_int sleepers, stop;
  pthread_mutex_t lock;
  pthread_cond_t wake;
} native_pool;

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void work(native_pool *p) {
  for (;;) {
    const int i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
    if (i >= p->n_tasks) return;
    p->task(p->context, i);
  }
}

static void *worker(void *argument) {
  native_pool *p = argument;
  unsigned seen = 0;
  for (;;) {
    int spins = 0;
    while (atomic_load_explicit(&p->job, memory_order_acquire) == seen) {
      if (++spins < SPINS) {
        pause_briefly();
        continue;
      }
      pthread_mutex_lock(&p->lock);
      atomic_fetch_add(&p->sleepers, 1);
      while (atomic_load(&p->job) == seen) pthread_cond_wait(&p->wake, &p->lock);
      atomic_fetch_sub(&p->sleepers, 1);
      pthread_mutex_unlock(&p->lock);
    }
    seen = atomic_load(&p->job);
    if (atomic_load(&p->stop)) return NULL;
    /* first counted, then looking: a job that is seen open does not end before this worker has left it */
    atomic_fetch_add(&p->active, 1);
    if (atomic_load(&p->open)) work(p);
    atomic_fetch_sub(&p->active, 1);
  }
}

static void announce(native_pool *p) {
  atomic_fetch_add(&p->job, 1);
  if (atomic_load(&p->sleepers) > 0) {
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
  }
}

static void run(pool *self, task_function task, void *context, int n_tasks) {
  native_pool *p = (native_pool *)self;
  p->task = task;
  p->context = context;
  p->n_tasks = n_tasks;
  atomic_store(&p->next, 0);
  atomic_store(&p->open, 1);
  announce(p);
  work(p);
  /* no worker joins from here on; one that sleeps or waits for a processor is not waited for */
  atomic_store(&p->open, 0);
  for (int spins = 0; atomic_load(&p->active) > 0; spins++) {
    if (spins < SPINS) pause_briefly();
    else sched_yield();
  }
}

void pool_destroy(pool *self) {
  native_pool *p = (native_pool *)self;
  if (!p) return;
  atomic_store(&p->stop, 1);
  announce(p);
  for (int i = 0; i < p->n_workers; i++) pthread_join(p->workers[i], NULL);
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->wake);
  free(p->workers);
  free(p);
}

pool *pool_create(int threads) {
  native_pool *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->base.threads = threads;
  p->base.run = run;
  p->workers = calloc((size_t)threads, sizeof *p->workers);
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  if (p->workers) {
    while (p->n_workers < threads - 1 &&
           pthread_create(&p->workers[p->n_workers], NULL, worker, p) == 0)
      p->n_workers++;
  }
  if (p->n_workers == threads - 1) return &p->base;
  pool_destroy(&p->base);
  return NULL;
}

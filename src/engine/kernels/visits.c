/* Rows that a fused forward pass is given from outside, and rows of it that are kept. */
#include "model.h"

int is_given(const visits *v, int site) {
  for (int i = 0; i < v->n_given; i++)
    if (v->given[i].site == site && v->given[i].n == v->N) return 1;
  return 0;
}

int keeps_any(const visits *v, int site, int end) {
  for (; site < end; site++)
    if (v->kept[site] != 0) return 1;
  return 0;
}

int is_visited(const visits *v, int site) {
  if (v == NULL) return 0;
  for (int i = 0; i < v->n_given; i++)
    if (v->given[i].site == site) return 1;
  return keeps_any(v, site, site + 1);
}

int first_needed_layer(const visits *v, const description *d) {
  for (int l = d->L - 1; l >= 0; l--) {
    const int block = FIRST_BLOCK + l * BLOCK_ACTIVATIONS;
    if (is_given(v, block + RESID_POST)) return keeps_any(v, 0, block + RESID_POST) ? 0 : l + 1;
    if (is_given(v, block + RESID_PRE)) return keeps_any(v, 0, block) ? 0 : l;
  }
  return 0;
}

/* index of the first row that is not before `row` */
static int first_from(const int32_t *rows, int n, int row) {
  int low = 0;
  while (low < n) {
    const int middle = low + (n - low) / 2;
    if (rows[middle] < row) low = middle + 1;
    else n = middle;
  }
  return low;
}

static void write_given(const given_rows *g, const chunk *c, int selected, real_t *x, int width, ptrdiff_t row) {
  const int n = (int)g->n, n_here = selected ? c->wanted.n : c->n;
  const int32_t *rows = (const int32_t *)(uintptr_t)g->rows;
  const real_t *values = (const real_t *)(uintptr_t)g->values;
  int next = first_from(rows, n, c->source[0]);
  for (int i = 0; i < n_here && next < n; i++) {
    const int source = c->source[selected ? c->wanted.row[i] : i];
    while (next < n && rows[next] < source) next++;
    if (next == n || rows[next] != source) continue;
    copy_reals(x + i * row, values + (ptrdiff_t)next * width, width);
    zero_reals(x + i * row + width, padded(width) - width);
  }
}

void visit(const visits *v, const chunk *c, int selected, int site, real_t *x, int width, ptrdiff_t row) {
  if (v == NULL) return;
  for (int i = 0; i < v->n_given; i++)
    if (v->given[i].site == site) write_given(&v->given[i], c, selected, x, width, row);
  real_t *to = (real_t *)(uintptr_t)v->kept[site];
  if (to == NULL) return;
  to += (ptrdiff_t)c->loss_at * width;
  for (int i = 0; i < c->wanted.n; i++, to += width) copy_reals(to, x + (selected ? i : c->wanted.row[i]) * row, width);
}

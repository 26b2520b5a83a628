/* The model as the drivers see it: description, weights packed for the matrix product, rows of one pass. */
#ifndef SUMLENS_MODEL_H
#define SUMLENS_MODEL_H
#include "kernels.h"
#include "parallel.h"

#define MOST_LAYERS 32

/* Offsets in the parameter arena; -1: the tensor does not exist. Order: parameters.ts, written by description.ts. */
typedef struct {
  int32_t ln1_w, ln1_b, attn_w, attn_b, proj_w, proj_b, ln2_w, ln2_b, fc_w, fc_b, out_w, out_b;
} block_offsets;

typedef struct {
  int32_t V, C, L, NH, M, relu, n_blocks, arena_size;
  int32_t wte, wpe, lnf_w, lnf_b, head, head_b; /* head == wte: tied */
  int32_t n_specs;
  block_offsets block[MOST_LAYERS];
  struct {
    int32_t offset, size, decays;
  } spec[]; /* [n_specs] every tensor, for AdamW */
} description;

/* One block's weights. *_rows: packed for the backward pass; NULL in inference. */
typedef struct {
  real_t *q, *kv, *proj, *fc, *out;
  real_t *q_bias, *kv_bias, *proj_bias, *fc_bias, *out_bias;
  real_t *q_rows, *k_rows, *v_rows, *proj_rows, *fc_rows, *out_rows;
  const real_t *ln1_w, *ln1_b, *ln2_w, *ln2_b;
} block_weights;

typedef struct {
  const description *d;
  block_weights block[MOST_LAYERS];
  real_t *head, *head_rows, *head_bias; /* head_bias NULL: none */
  const real_t *lnf_w, *lnf_b, *wte, *wpe;
} weights;

static inline const block_weights *weights_of(const weights *w, int layer) {
  return &w->block[w->d->n_blocks == 1 ? 0 : layer];
}

/* Hands out 64-byte aligned pieces of a work area; with base NULL it only counts: in 64 bits, as what is wanted may be more
 * than a 32-bit memory has addresses. */
typedef struct {
  char *base;
  uint64_t used;
} arena;
static inline void *take(arena *a, uint64_t bytes) {
  void *at = a->base ? a->base + a->used : NULL;
  a->used += (bytes + 63) / 64 * 64;
  return at;
}
static inline real_t *take_reals(arena *a, uint64_t n) { return take(a, n * sizeof(real_t)); }
static inline int32_t *take_ints(arena *a, uint64_t n) { return take(a, n * sizeof(int32_t)); }

/* Every parts-th piece of a work that several tasks divide; next counts the pieces and begins with 0. */
typedef struct {
  int part, parts, next;
} share;
#define WHOLE (&(share){0, 1, 0})

/* Lays the packed weights out in `a`; fills this share of them from parameters, none when NULL. */
void prepare_weights(weights *w, const description *d, const real_t *parameters, arena *a, int backward, share *fill);

/* Query rows of a pass: all rows, or an ascending selection. Indices are relative to the chunk. */
typedef struct {
  int n;
  const int32_t *row;      /* [n] row of each query; NULL: query i is row i */
  const int32_t *position; /* [n] position in its sequence */
  const int32_t *last;     /* [n] position + 1 */
  const int32_t *first;    /* [rows of the chunk] first query, counted in its sequence, at or past each row */
  const int32_t *start;    /* [S + 1] first query of each sequence */
} queries;

/* Whole sequences that go through the model together. */
typedef struct {
  int n, S;
  const int32_t *token; /* [n] */
  const int32_t *source; /* [n] row of the batch of each; NULL in generation */
  queries all, wanted;  /* wanted: rows with a target */
  const int32_t *target; /* [wanted.n] */
  int loss_at;           /* index of the first wanted row among all of the batch */
} chunk;

/* Parts of a batch, whole sequences each, whose sums over rows are chains of their own and are added at the end. A constant:
 * the numbers depend on it, and on nothing that depends on threads. */
#define SHARDS 2

typedef struct {
  int n_chunks, n_targets;
  chunk *chunks;
  int shard[SHARDS + 1]; /* first chunk of each shard; the last: n_chunks */
} plan;

/* Most rows of one chunk: what keeps its activations in a 1-2 MB cache. A longer sequence is a chunk of its own. */
int chunk_rows(const description *d, int longest);
/* Chunks that are in memory together: one without threads; else several for each thread, so that the threads meet seldom
 * and the last chunk keeps few of them waiting. */
int group_chunks(const description *d, int N, int longest, int threads);
/* Cuts a batch into shards of about the same work and those into chunks, leaving out what cannot reach a loss: rows after the
 * last target of a sequence. */
void make_plan(plan *p, arena *a, const description *d, const int32_t *tokens, const int32_t *targets,
               const int32_t *offsets, int N, int S, int longest);

/* Activations of one block application, [rows, width] each. p: [nq, padded T] for each sequence and head. */
typedef struct {
  real_t *h1, *xhat1, *rstd1, *h1_wanted, *q, *kv, *p, *z, *xhat2, *rstd2, *h2, *slope, *post;
  /* gradients; slope becomes that of mlp.pre. d_out: of resid_post, d_mid: of resid_mid */
  real_t *d_out, *d_mid, *dq, *dkv, *dh1, *dh2;
} layer_store;

typedef struct {
  layer_store layer[MOST_LAYERS];
  real_t *x, *x_wanted, *hf, *xhatf, *rstdf, *logits, *dhf, *d_in;
  real_t *dz, *temp, *scratch;
} chunk_store;

/* What is kept of each block: nothing (inference), what its backward pass needs, also the gradients of its activations. */
typedef enum { KEEP_NOTHING, KEEP_FORWARD, KEEP_GRADIENTS } store_kind;

/* Room for a chunk of `rows` rows and sequences of at most `longest`. */
void prepare_store(chunk_store *s, arena *a, const description *d, int rows, int longest, store_kind keep);

/* Keys and values of sequences that grow: [L, slots, capacity] rows of 2 padded C. */
typedef struct {
  real_t *kv;
  ptrdiff_t layer_size;
  const int32_t *start; /* [S] first row of each sequence's slot */
} kv_cache;

/* Places in tables of activations: the order of activationNames() in model/activations.ts. */
enum { EMBED, POS_EMBED, FIRST_BLOCK };
enum {
  RESID_PRE, LN1, Q, K, V, SCORES, PATTERN, Z, ATTN_OUT, RESID_MID, LN2, MLP_PRE, MLP_POST, MLP_OUT, RESID_POST,
  BLOCK_ACTIVATIONS
};
static inline int activation_count(const description *d) { return FIRST_BLOCK + d->L * BLOCK_ACTIVATIONS + 1; }

/* Rows that take the place of an activation's own. Doubles, as they come from TypeScript. */
typedef struct {
  double site, n;      /* which activation; how many rows */
  double rows, values; /* addresses: int32 [n] rows of the batch, ascending, each once; [n, width] without padding */
} given_rows;

/* What a forward pass is given and what it keeps of activations with a row a position (visits.c). */
typedef struct {
  int N; /* rows of the batch */
  int n_given;
  const given_rows *given; /* in the order they are written */
  const double *kept;      /* [activations] address of [targets, width], where rows with a target go; 0: nowhere */
  int first_layer;         /* what is before it is needed by nothing; as many as there are: none is needed */
} visits;

/* The layer to begin with: that of the last residual stream of which all rows are given, when nothing before is kept. */
int first_needed_layer(const visits *v, const description *d);
/* all rows of the activation are given */
int is_given(const visits *v, int site);
/* anything is given or kept at the activation; v may be NULL */
int is_visited(const visits *v, int site);
/* anything is kept of the activations from `site` to before `end` */
int keeps_any(const visits *v, int site, int end);
/* Writes what is given into x, rows of `width` numbers `row` apart, and keeps what is wanted; v may be NULL. selected: x
 * has the wanted rows of the chunk only. */
void visit(const visits *v, const chunk *c, int selected, int site, real_t *x, int width, ptrdiff_t row);

/* Forward through all blocks to the final LayerNorm of the wanted rows (s->hf). With a cache the chunk's rows go on
 * sequences whose earlier keys and values are in it, and are added to it; NULL: sequences begin here. v: what is given and
 * kept, in inference; NULL: nothing. */
void chunk_forward(const weights *w, const chunk *c, chunk_store *s, int train, const kv_cache *cache, const visits *v);
/* backward.c. Gradients of every activation of a chunk. With g, a whole arena, those of the parameters are added to it while
 * what they are made from is in cache; NULL: they come later, and the store keeps the gradients of all blocks. */
void chunk_backward(const weights *w, const chunk *c, chunk_store *s, real_t *g);
/* Kinds of parameters of a block, the gradients of each from others of its activations. */
enum { GRADIENT_Q, GRADIENT_K, GRADIENT_V, GRADIENT_PROJ, GRADIENT_FC, GRADIENT_OUT, GRADIENT_VECTORS, BLOCK_KINDS };
/* Adds the gradients of one kind, from application `l` of a block to one chunk, to g. piece: rows of a weight */
void block_gradient(const description *d, real_t *g, int l, int kind, share piece, const chunk *c, const layer_store *y);
/* Adds those of the unembedding and the token embedding, which may be one tensor: this order, chunk by chunk. */
void token_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s);
/* Adds those of the positions and the final LayerNorm. */
void position_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s);

/* logits [n, V], rows of `row` numbers */
void unembed(const weights *w, real_t *logits, ptrdiff_t row, const real_t *hf, int n);
/* y [n, padded n_out] = x [n, padded k] w + bias */
void linear(real_t *y, const real_t *x, const real_t *packed, const real_t *bias, int n, int k, int n_out, int add);
#endif

// A whole pass: tokens of many requests in, logits out. The same network as `bise.model.network`.
#pragma once

#include "attention.h"
#include "matrix.h"
#include "residency.h"

namespace bise {

// One layer. Latent attention uses q_down ... up, grouped attention qkv; the others' fields are empty.
struct Layer {
    const float* attention_norm;
    const float* mlp_norm;

    Matrix q_down, kv_down, q_up;
    const float* q_norm;
    const float* kv_norm;
    LatentUp up;

    Matrix q, k, v;

    Matrix out;

    const float* router;  // [experts, dim] fp32, or null: every row takes the dense feed-forward
    Mixture mixture;
    Gated dense;
};

struct Network {
    int64_t dim, vocab, num_layers, heads;
    float norm_eps;
    bool is_latent;
    LatentShape latent;
    int64_t q_latent;
    GroupedShape grouped;
    int64_t rope;  // numbers of a head that turn
    int64_t topk;

    const float* frequencies;  // [rope / 2]
    float query_growth;        // 0 where queries do not grow with their position
    float growth_step;

    const void* embedding;  // [vocab, dim] bf16
    const float* norm;
    Matrix head;
    const Layer* layers;
    Residency* residency;  // of experts in a file, or null: everything is in memory
};

// New tokens, one request after another as `spans` say.
struct Pass {
    int64_t num_tokens;
    const int64_t* ids;
    const Span* spans;
    int64_t num_spans;
    const Cache* caches;  // [layers]

    const float* vectors;  // [num_vectors, dim], of pictures
    const int64_t* vector_rows;
    int64_t num_vectors;

    const int64_t* wanted;  // rows whose logits are wanted
    int64_t num_wanted;
    float* logits;     // [num_wanted, vocab]
    float* hidden;     // [num_tokens, dim], what the head takes; or null
    int32_t* routing;  // [num_tokens, layers, topk], or null
    bool is_exact;     // a token's bits depend on its own text alone
};

// Memory a pass of so many tokens needs for itself; its caller lends it, aligned to 64 bytes.
int64_t pass_bytes(const Network& network, int64_t num_tokens);

void run_pass(const Network& network, const Pass& pass, uint8_t* memory);

}  // namespace bise

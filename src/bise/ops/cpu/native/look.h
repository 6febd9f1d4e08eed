// One look back over the text: what its kernels are given, and the order they work in.
//
// Rows of queries that share their keys stand together in tiles of 16; some tiles of one span are a
// bundle. Keys come in blocks at fixed positions, blocks in ranges whose length only the position
// of the token decides. A block gives each row a maximum, a sum and a mix of values; these are
// folded in order within the range, and ranges in order after that. So neither company nor the
// number of workers changes what a token finds.
#pragma once

#include <cstdint>

#include "attention.h"

namespace bise {

enum Form {
    RAW,       // keys and values are pieces of the entries, one of each per seat
    ABSORBED,  // one seat: the key is the entry, the value its latent; queries are multiplied up
    EXPANDED   // a seat per head: keys and values are multiplied up from the latents
};

struct LookJob {
    Form form;
    int64_t seats, sharing;  // kv heads, and how many query heads look through one
    int64_t key, value;      // widths of a key and of a value as they are looked at
    int64_t first_part;      // how much of an entry the first scale is for
    float scale;
    LatentShape shape;  // ABSORBED and EXPANDED
    const uint16_t* up;
    const Cache* cache;
    const Span* spans;
    const float* query;
    float* out;

    int64_t heads() const { return seats * sharing; }
};

constexpr int64_t TILE = 16;   // rows that are looked up together
constexpr int64_t PANEL = 16;  // columns that are multiplied together
constexpr int64_t DEPTH = 32;  // the inner side of products is padded to a multiple of it

struct Bundle {
    const Span* span;
    int64_t first, count;  // tokens of the span
    int64_t row;           // where its first token stands in query and out
    int64_t seat;
    int64_t num_ranges, range_keys;
    int64_t tiles;
    void* queries;    // [tiles] packed
    float* findings;  // [num_ranges, or 1 if one worker folds them all][tiles][finding_numbers]
    bool is_folded;

    int64_t last_position() const { return span->start + first + count - 1; }
};

// What one tile has found: maximum [TILE], sum [TILE], mix [TILE, value padded].
template <class Job>
int64_t finding_numbers(const Job& job) {
    return TILE * (2 + (job.value + PANEL - 1) / PANEL * PANEL);
}

// One token of a bundle: absorbed queries of all bundles share the matrices of a head.
struct BundleToken {
    const Bundle* bundle;
    int64_t token;
};

struct LookKernels {
    int64_t block;
    int64_t (*query_bytes)(const LookJob& job);  // of a tile
    // Pack the queries of a bundle; or, ABSORBED, those of one head of some tokens.
    void (*ask)(const LookJob& job, const Bundle& bundle, int worker);
    void (*absorb)(const LookJob& job, const BundleToken* tokens, int64_t count, int64_t head,
                   int worker);
    // Look at one range of keys, or at all if the bundle is folded. A bundle that has no memory of
    // its own is asked, looked up and answered at once.
    void (*look)(const LookJob& job, const Bundle& bundle, int64_t range, int worker);
    // Fold what was found, and give the values back.
    void (*answer)(const LookJob& job, const Bundle& bundle, int worker);
    void (*give_values)(const LookJob& job, const BundleToken* tokens, int64_t count, int64_t head,
                        int worker);
};

struct LookVariant {
    LookKernels in_fp32, in_bf16;
    LookKernels in_bytes;  // ABSORBED, over entries in int8 whose parts are whole tiles
    // Write a part of an entry in 8 bits; returns its scale.
    float (*write)(CacheType type, const float* from, int64_t count, uint8_t* to);
};
LookVariant look_portable();
LookVariant look_avx2();
LookVariant look_avx512();
LookVariant look_amx();
LookVariant look_variant();  // the one in use

}  // namespace bise

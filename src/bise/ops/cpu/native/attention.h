// Looking back over pages of a cache: latent attention and grouped attention.
#pragma once

#include <cstdint>

namespace bise {

enum CacheType { CACHE_F32 = 0, CACHE_BF16 = 1, CACHE_INT8 = 2, CACHE_FP8 = 3 };

// The pages of one layer: entries [pages, page_tokens, width]; in 8 bits with scales
// [pages, page_tokens, 2] fp32, one for each part (latent | rotated key, or keys | values).
struct Cache {
    CacheType type;
    void* entries;
    float* scales;
    int64_t page_tokens, width;
};

// New tokens of one request, whose entries 0 .. start + count lie in its pages.
struct Span {
    int64_t start, count;
    const int64_t* pages;
};

// Write entries [tokens, width] fp32 of all spans, one after the other, where they belong. In 8
// bits the first scale is for the first `first_part` numbers of an entry, the second for the
// others.
void write_cache(const Cache& cache, const Span* spans, int64_t num_spans, const float* entries,
                 int64_t first_part);

struct LatentShape {
    int64_t heads, nope, rope, value, latent;
    float scale;
};

// What multiplies latents up to keys and values, [heads, nope + value, latent], in the forms that
// absorbed decoding and expanded reading want. Made once from fp32 or bf16; bytes belong to the
// caller.
struct LatentUp {
    const uint8_t* packed;
};
int64_t latent_up_bytes(const LatentShape& shape);
void pack_latent_up(const LatentShape& shape, const void* up, bool is_bf16, uint8_t* packed);

// query [tokens, heads, nope + rope] fp32, rotated and scaled by position already
// out   [tokens, heads, value] fp32
// Causal: a token at position p sees entries 0 .. p. Entries of this pass are in the cache already.
void latent_attention(const LatentShape& shape, const LatentUp& up, const Cache& cache,
                      const Span* spans, int64_t num_spans, const float* query, float* out);

// Exact attention: latents are never multiplied up to keys and values, not even where many tokens
// would gain by it. Then a token's result has the same bits however its text was cut into spans.
// Otherwise it does, too, except for this choice; neither company nor workers ever change a bit. It
// is said for the calls of one thread.
bool use_exact_attention(bool wanted);  // what it was before

struct GroupedShape {
    int64_t heads, kv_heads, head_dim;
    float scale;
};
// query, out [tokens, heads, head_dim]; an entry is [keys of all kv heads | values of all]
void grouped_attention(const GroupedShape& shape, const Cache& cache, const Span* spans,
                       int64_t num_spans, const float* query, float* out);

}  // namespace bise

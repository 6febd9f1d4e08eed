// Attention as Python calls it.
#include "abi.h"
#include "attention.h"

using namespace bise;

BISE_API void bise_use_exact_attention(int64_t wanted) { use_exact_attention(wanted != 0); }

BISE_API int bise_write_cache(const Cache* cache, const Span* spans, int64_t num_spans,
                              const float* entries, int64_t first_part) {
    return guarded([&] { write_cache(*cache, spans, num_spans, entries, first_part); });
}

BISE_API int64_t bise_latent_up_bytes(const LatentShape* shape) { return latent_up_bytes(*shape); }

BISE_API int bise_pack_latent_up(const LatentShape* shape, const void* up, int64_t is_bf16,
                                 uint8_t* packed) {
    return guarded([&] { pack_latent_up(*shape, up, is_bf16 != 0, packed); });
}

BISE_API int bise_latent_attention(const LatentShape* shape, const uint8_t* packed,
                                   const Cache* cache, const Span* spans, int64_t num_spans,
                                   const float* query, float* out) {
    return guarded(
        [&] { latent_attention(*shape, {packed}, *cache, spans, num_spans, query, out); });
}

BISE_API int bise_grouped_attention(const GroupedShape* shape, const Cache* cache,
                                    const Span* spans, int64_t num_spans, const float* query,
                                    float* out) {
    return guarded([&] { grouped_attention(*shape, *cache, spans, num_spans, query, out); });
}

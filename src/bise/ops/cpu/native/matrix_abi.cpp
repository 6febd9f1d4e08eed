// The products for Python: plain C functions over plain pointers.
#include "abi.h"
#include "matrix.h"

using namespace bise;

BISE_API int64_t bise_packed_bytes(int64_t type, int64_t outputs, int64_t inputs) {
    return packed_bytes(WeightType(type), outputs, inputs);
}

// A `Packed`.
BISE_API int bise_pack(int64_t type, int64_t source_type, const void* values, const void* scales,
                       const FileRows* spans, int64_t num_spans, int64_t outputs, int64_t inputs,
                       int64_t is_gated, void* packed) {
    const Source source = {SourceType(source_type), values, static_cast<const uint8_t*>(scales),
                           spans, num_spans};
    return guarded([&] {
        return pack(WeightType(type), source, outputs, inputs, is_gated != 0,
                    static_cast<uint8_t*>(packed));
    });
}

BISE_API int bise_unpack(const Matrix* matrix, int64_t is_gated, float* values) {
    return guarded([&] { unpack(*matrix, is_gated != 0, values); });
}

BISE_API int bise_products(const Inputs* x, const Product* all, int64_t count) {
    return guarded([&] { products(*x, all, count); });
}

BISE_API int bise_mixture(const Inputs* x, const Mixture* layer, const int32_t* choice,
                          const float* weights, int64_t topk, float* out, int64_t out_stride) {
    return guarded([&] { mixture(*x, *layer, choice, weights, topk, out, out_stride); });
}

BISE_API int bise_feed_forward(const Inputs* x, const Gated* layer, float* out,
                               int64_t out_stride) {
    return guarded([&] { feed_forward(*x, *layer, out, out_stride); });
}

BISE_API void bise_use_exact(int64_t wanted) { use_exact(wanted != 0); }

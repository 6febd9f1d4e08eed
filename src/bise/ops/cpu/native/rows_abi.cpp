// Rows as Python calls them.
#include "abi.h"
#include "rows.h"

using namespace bise;

BISE_API int bise_rms_norm(const float* x, int64_t x_stride, int64_t rows, int64_t dim,
                           const float* weight, float eps, float* out, int64_t out_stride) {
    return guarded([&] { rms_norm(x, x_stride, rows, dim, weight, eps, out, out_stride); });
}

BISE_API int bise_rotate(float* x, int64_t row_stride, int64_t rows, int64_t heads,
                         int64_t head_stride, int64_t rope, const float* cos, const float* sin) {
    return guarded([&] { rotate(x, row_stride, rows, heads, head_stride, rope, cos, sin); });
}

BISE_API int bise_route(const float* x, int64_t x_stride, int64_t rows, int64_t dim,
                        const float* gate, int64_t num_experts, int64_t topk, int32_t* choice,
                        float* weights) {
    return guarded(
        [&] { route(x, x_stride, rows, dim, gate, num_experts, topk, choice, weights); });
}

BISE_API int bise_embed(const void* table, int64_t is_bf16, int64_t dim, const int64_t* ids,
                        int64_t rows, float* out) {
    return guarded([&] { embed(table, is_bf16 != 0, dim, ids, rows, out); });
}

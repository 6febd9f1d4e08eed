// The eye: pictures in, a vector for each of their tokens out. The same tower and projector as
// `bise.model.vision`.
#pragma once

#include "matrix.h"

namespace bise {

struct VisionBlock {
    const float* attention_norm;
    const float* mlp_norm;
    Matrix q, k, v, out;
    Gated mlp;
};

struct Eye {
    int64_t dim, num_layers, heads;
    int64_t channels, patch;  // a patch is so many pixels wide and high
    int64_t merge;            // a token is so many patches wide and high
    int64_t vector_dim;       // of the network that is shown what was seen
    float norm_eps, projector_norm_eps;

    const float* frequencies;  // [dim / heads / 2], by turns of rows and of columns
    Matrix pixels;             // [dim, channels * patch * patch]
    const float* norm;
    const VisionBlock* blocks;

    const float* projector_norm;
    Matrix merging;  // [dim, dim * merge * merge]
    Matrix w_in, w_out;
};

// Pixels [channels, rows * patch, cols * patch] fp32; rows and cols are multiples of `merge`.
struct Picture {
    const float* pixels;
    int64_t rows, cols;
};

// vectors [tokens of all pictures, vector_dim] fp32, one picture after the other. A picture that is
// alone in a call always gets the same bits; in company it does, too, but for tiny ones on AMX,
// whose few rows have kernels of their own when alone. Others may use the workers in between.
// Throws std::bad_alloc where there is too little memory.
void see(const Eye& eye, const Picture* pictures, int64_t count, float* vectors);

}  // namespace bise

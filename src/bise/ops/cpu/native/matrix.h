// Weights as the kernels like them, and products of rows with them.
//
// One packing serves every variant. A panel is 32 outputs wide and as long as the inputs, padded
// with zeros to whole groups; inside lie tiles of 16 outputs by 64 bytes, `[k / 4][output][4]` for
// bytes and `[k / 2][output][2]` for bf16: what AMX, AVX-512 and AVX2 dot products load as it lies.
// More in matrix_layout.h.
//
// What happens to inputs: weights of INT8, INT4 and NVFP4 meet them in 8 bits, groups of 32 with a
// fp32 scale, or in bf16 where tiles of AMX multiply many rows. Weights of BF16 and FP8 meet them in
// bf16, or fp32 without AVX-512. Sums are fp32, between groups at least.
#pragma once

#include <cstdint>

namespace bise {

enum WeightType {
    BF16 = 0,
    INT8 = 1,  // groups of 32 inputs with an fp16 scale each
    INT4 = 2,  // the same with 4 bits
    FP8 = 3,   // E4M3 as released: one scale a matrix
    NVFP4 = 4  // E2M1 as released: groups of 16 with an E4M3 scale, and one scale a matrix
};

// `outputs` rows of `inputs` weights, packed. The bytes belong to somebody else.
struct Matrix {
    WeightType type;
    int64_t outputs, inputs;
    const uint8_t* packed;  // aligned to 64 bytes
    float scale;            // of the whole matrix: FP8 and NVFP4; 1 otherwise
    float up_scale;         // of the up half where gate and up are packed together; else as `scale`
};

// A matrix as it lies in a checkpoint: row-major. `values` is fp32, bf16 (both for BF16, INT8 and
// INT4), E4M3 bytes (FP8) or packed E2M1 (NVFP4, whose group scales are `scales`). Where it is null
// the rows lie in files, spans of them below each other.
enum SourceType { FROM_F32 = 0, FROM_BF16 = 1, FROM_FP8 = 2, FROM_NVFP4 = 3 };
struct FileRows {
    int64_t file;  // descriptor, open for reading
    int64_t start, rows;
};
struct Source {
    SourceType type;
    const void* values;
    const uint8_t* scales;
    const FileRows* spans;
    int64_t num_spans;
};

int64_t packed_bytes(WeightType type, int64_t outputs, int64_t inputs);

// Quantise and pack all of a matrix, on all workers, which read their rows themselves if they lie in
// files. `is_gated`: the outputs are [gate; up] halves of a SwiGLU; packed so that every panel has 16
// of one beside its 16 of the other. Unless all is sound, what was packed means nothing.
enum Packed {
    NOT_FINITE = 0,  // a number, or an FP8 code, is infinite or none
    SOUND = 1,
    NOT_READ = 2  // a file ended too early, or could not be read
};
Packed pack(WeightType type, const Source& source, int64_t outputs, int64_t inputs, bool is_gated,
            uint8_t* packed);

// The packed numbers again, row-major [outputs, inputs] fp32: for tests, and to say what was lost.
void unpack(const Matrix& matrix, bool is_gated, float* values);

// Activations of some rows, prepared once for all products they go into.
struct Inputs {
    const float* values;  // [rows, stride] fp32
    int64_t rows, inputs, stride;
};

// out[row, output] = sum over inputs of x * w, or that much more. One product of a batch.
struct Product {
    const Matrix* matrix;
    float* out;
    int64_t out_stride;
    bool adds = false;
};

// A row's results do not depend on what the other rows are, but on AMX on how many: few have kernels
// of their own, which round differently from the tiles for many. With `use_exact` they do not
// depend on that either: there are no tiles. It is said for the calls of one thread.
bool use_exact(bool wanted);  // what it was before

// Several products of the same inputs in one go (q and kv projections, for example).
void products(const Inputs& x, const Product* products, int64_t count);

// A SwiGLU feed-forward: out = down(silu(gate x) * up x), `gate_up` packed with is_gated.
struct Gated {
    const Matrix* gate_up;
    const Matrix* down;
};

// The mixture: out[row] = sum over k of weights[row, k] * expert[choice[row, k]](x[row]), plus the
// shared feed-forward if there is one. Summed in the order shared, then experts by number, whatever
// shares the pass.
struct Mixture {
    const Gated* experts;  // [num_experts]
    int64_t num_experts;
    const Gated* shared;  // or null
};
void mixture(const Inputs& x, const Mixture& layer, const int32_t* choice, const float* weights,
             int64_t topk, float* out, int64_t out_stride);

// A dense feed-forward, with the same kernels.
void feed_forward(const Inputs& x, const Gated& layer, float* out, int64_t out_stride);

}  // namespace bise

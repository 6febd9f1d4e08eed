// The inner loops of products: a table of functions for every variant of the processor.
//
// All of them make a block: the products of some rows with the 32 outputs of one panel, fp32
// [rows][32]. What is done with a block afterwards is the business of whoever asked.
#pragma once

#include "matrix_layout.h"

namespace bise {

// 32 inputs of one row in 8 bits. `start` is what an integer sum of products begins with, because
// weights are stored with their zero point added: minus the zero point times the sum of `values`.
struct Group {
    int8_t values[GROUP];
    float scale;
    int32_t start_int8, start_int4, start_nvfp4[2];  // the last: one for each half of the inputs
};

// What rows look like to a kernel. The first three are found by a pointer for each row and padded
// with zeros to whole groups; TILES are 32 rows by 32 inputs of bf16, [rows / 32][groups][32][32].
constexpr int TILE_ROWS = 32;
enum RowForm { GROUPS = 0, BF16_ROWS = 1, F32_ROWS = 2, TILES = 3 };
constexpr int NUM_FORMS = 4;
constexpr int64_t PAIR_ROWS = 3, FEW_ROWS = 48, MOST_PANELS = 8;

// One panel, and the scales of its matrix: of the first 16 outputs and of the others. `next` is
// what will probably be read after it, or null: memory is asked for that in time.
struct Panel {
    const uint8_t* groups;
    int64_t num_groups;
    float scale[2];
    const uint8_t* next;
    bool asks_near;  // see matrix_ahead.h
};

struct Kernels {
    // The form in which rows are wanted by each type of weight.
    RowForm form[NUM_TYPES];
    // How memory is asked for by `rows` and `pairs`: matrix_ahead.h.
    bool asks_near;
    // From this many rows on, tiles are wanted instead; 0: never.
    int64_t tiles_from[NUM_TYPES];

    // Any number of rows, by pointers. A row's sums do not depend on the others.
    void (*rows[NUM_TYPES])(const Panel& panel, const void* const* x, int64_t count,
                            float* block);
    // The same with two panels side by side, for at most PAIR_ROWS rows, and one block after the
    // other: memory gives more to who reads it in two places. Null where it does not pay.
    void (*pairs[NUM_TYPES])(const Panel* panels, const void* const* x, int64_t count,
                             float* block);
    // Any number of rows, as tiles; writes blocks of whole 16 rows. Weights become bf16 on the way.
    // Up to MOST_PANELS that lie one behind the other, and one block after the other; with more than
    // FEW_ROWS a single panel. `next` is what comes after all of them.
    void (*tiles[NUM_TYPES])(const Panel& panel, int64_t num_panels, const uint8_t* x,
                             int64_t count, float* block);

    // Some numbers of a row (whole groups but for the end of the row) into the two narrow forms.
    void (*quantise)(const float* x, int64_t count, Group* groups);
    void (*round)(const float* x, int64_t count, uint16_t* halves);
    // silu(gate) * up of each row of a block of a gated panel: 16 numbers a row.
    void (*gate)(const float* block, int64_t rows, float* hidden, int64_t stride);
    // The first columns of a block times a weight for each row, added where a row's pointer says.
    void (*add)(const float* block, int64_t rows, int64_t columns, const float* weights,
                float* const* out);
};

const Kernels& kernels_portable();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();
const Kernels& kernels_amx();
const Kernels& kernels();  // of the variant in use

}  // namespace bise

// Products of rows with matrices: which kernel, in which order, on which worker.
#include "matrix.h"

#include "isa.h"
#include "matrix_prepared.h"

namespace bise {

namespace {

struct Run {
    const Product* product;
    const Rows* rows;  // in the form its matrix wants
    Part part;
};

void store(const Product& product, int64_t panel, int64_t row, int64_t count, const float* block) {
    const int64_t first = panel * PANEL;
    const int64_t columns = std::min<int64_t>(PANEL, product.matrix->outputs - first);
    float* out = product.out + row * product.out_stride + first;
    for (int64_t i = 0; i < count; ++i, out += product.out_stride, block += PANEL)
        if (product.adds)
            for (int64_t j = 0; j < columns; ++j) out[j] += block[j];
        else
            copy_columns(block, columns, out);
}

}  // namespace

const Kernels& kernels() {
#if defined(__x86_64__)
    switch (isa()) {
        case AMX: return kernels_amx();
        case AVX512: return kernels_avx512();
        case AVX2: return kernels_avx2();
        case PORTABLE: break;
    }
#endif
    return kernels_portable();
}

void products(const Inputs& x, const Product* products, int64_t count) {
    if (x.rows == 0) return;
    Arena& arena = call_arena();
    arena.clear();
    Prepared prepared(x, arena);
    int64_t cost = 0, most_runs = 0;
    for (int64_t i = 0; i < count; ++i) {
        const Matrix& matrix = *products[i].matrix;
        const Rows& rows = prepared.in(wanted_form(matrix, x.rows));
        const int64_t panels = num_panels(matrix.outputs);
        most_runs += panels * divide_up(x.rows, chunk_of(rows));
        cost += cost_of(matrix, x.rows, panels);
    }
    Run* runs = arena.take<Run>(most_runs);
    int64_t num_runs = 0;
    for (int64_t i = 0; i < count; ++i) {
        const Matrix& matrix = *products[i].matrix;
        const Rows& rows = prepared.in(wanted_form(matrix, x.rows));
        const int64_t panels = num_panels(matrix.outputs), chunk = chunk_of(rows);
        const int64_t step = panels_a_task(matrix, std::min(chunk, x.rows), cost);
        for (int64_t row = 0; row < x.rows; row += chunk)
            for (int64_t panel = 0; panel < panels; panel += step)
                runs[num_runs++] = {&products[i], &rows, {panel, std::min(panels, panel + step),
                                                          row, std::min(x.rows, row + chunk)}};
    }
    parallel(num_runs, [&](int64_t index, int worker) {
        const Run& run = runs[index];
        const auto keep = [&](int64_t panel, int64_t row, int64_t some, float* block) {
            store(*run.product, panel, row, some, block);
        };
        const Run* more = index + 1 < share_of(num_runs, worker).end ? &runs[index + 1] : nullptr;
        const uint8_t* next = more ? start_of(*more->product->matrix, more->part) : nullptr;
        Multiplier(*run.product->matrix, *run.rows, worker).run(run.part, keep, next);
    });
}

}  // namespace bise

#include "matrix_prepared.h"

#include <cassert>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>

#include "guard.h"
#include "isa.h"

namespace bise {

namespace {

constexpr int64_t MUCH_TO_PREPARE = 1 << 15;  // numbers; fewer are done sooner than others wake up
constexpr int64_t TILES_BYTES = 1 << 20, ROWS_BYTES = 256 << 10;  // of a second cache: 2 MB, 1 MB
constexpr int64_t FETCHING = 32;  // reading and decoding weights costs as much as so many rows
constexpr int64_t SMALL_TASKS = 24, BIG_TASKS = 6;  // for each worker
constexpr int64_t FEWEST_BYTES = 16 << 10, MANY_ROWS = 64, PANELS_OF_MANY = 16;

constexpr int64_t PAGE = 2 << 20;  // a huge one

thread_local bool is_exact = false;

}  // namespace

bool use_exact(bool wanted) { return std::exchange(is_exact, wanted); }

void Arena::clear() {
    if (pieces_.size() > 1) {  // one piece, next time
        const int64_t total = total_;
        free_all();
        take_bytes(total);
    }
    for (const Piece& piece : pieces_) open_all(piece.start, piece.bytes);
    used_ = 0;
}

uint8_t* Arena::take_bytes(int64_t wanted) {
    const int64_t bytes = divide_up(wanted, 64) * 64 + GAP;
    if (pieces_.empty() || used_ + bytes > pieces_.back().bytes) {
        const int64_t size = divide_up(std::max(bytes, total_), PAGE) * PAGE;
        auto* start = static_cast<uint8_t*>(std::aligned_alloc(PAGE, size_t(size)));
        if (!start) throw std::bad_alloc();
#if defined(__linux__)
        madvise(start, size_t(size), MADV_HUGEPAGE);  // if the system does not care, nor do we
#endif
        pieces_.push_back({start, size});
        total_ += size;
        used_ = 0;
    }
    uint8_t* taken = pieces_.back().start + used_;
    used_ += bytes;
    close_gap(taken + wanted, bytes - wanted);
    return taken;
}

void Arena::free_all() {
    for (const Piece& piece : pieces_) {
        open_all(piece.start, piece.bytes);
        std::free(piece.start);
    }
    pieces_.clear();
    used_ = total_ = 0;
}

Arena& call_arena() {
    thread_local Arena arena;
    return arena;
}

int64_t row_bytes(RowForm form, int64_t inputs) {
    const int64_t bytes = form == GROUPS      ? int64_t(sizeof(Group))
                          : form == F32_ROWS ? int64_t(GROUP * sizeof(float))
                                             : int64_t(GROUP * sizeof(uint16_t));
    return num_groups(inputs) * bytes;
}

Rows room_for(RowForm form, int64_t count, int64_t inputs, Arena& arena) {
    Rows rows = {form, count, inputs, nullptr, nullptr};
    const int64_t bytes = row_bytes(form, inputs);
    if (form == TILES) {
        const int64_t full = divide_up(count, TILE_ROWS) * TILE_ROWS, last = full - TILE_ROWS;
        rows.tiles = arena.take<uint8_t>(full * bytes);
        if (full > count) std::memset(rows.tiles + last * bytes, 0, size_t(TILE_ROWS * bytes));
        return rows;
    }
    rows.rows = arena.take<const void*>(count);
    auto* memory = arena.take<uint8_t>(count * bytes);
    for (int64_t row = 0; row < count; ++row) rows.rows[row] = memory + row * bytes;
    return rows;
}

void write_row(const Rows& rows, int64_t row, int64_t first, const float* values, int64_t count) {
    const Kernels& table = kernels();
    const int64_t group = first / GROUP;
    if (rows.form == TILES) {
        const int64_t groups = num_groups(rows.inputs);
        auto* at = reinterpret_cast<uint16_t*>(rows.tiles) +
                   ((row / TILE_ROWS * groups + group) * TILE_ROWS + row % TILE_ROWS) * GROUP;
        for (; count > 0; count -= GROUP, values += GROUP, at += TILE_ROWS * GROUP)
            table.round(values, std::min<int64_t>(count, GROUP), at);
        return;
    }
    void* at = const_cast<void*>(rows.rows[row]);
    if (rows.form == GROUPS) return table.quantise(values, count, static_cast<Group*>(at) + group);
    if (rows.form == BF16_ROWS)
        return table.round(values, count, static_cast<uint16_t*>(at) + first);
    float* to = static_cast<float*>(at) + first;
    std::copy_n(values, count, to);
    std::fill(to + count, to + divide_up(count, GROUP) * GROUP, 0.0f);
}

RowForm wanted_form(const Matrix& matrix, int64_t rows) {
    const Kernels& table = kernels();
    const int64_t from = table.tiles_from[matrix.type];
    return from > 0 && rows >= from && !is_exact ? TILES : table.form[matrix.type];
}

int64_t chunk_of(const Rows& rows) {
    const int64_t bytes = rows.form == TILES ? TILES_BYTES : ROWS_BYTES;
    const int64_t fitting = bytes / row_bytes(rows.form, rows.inputs) / TILE_ROWS * TILE_ROWS;
    return std::clamp<int64_t>(fitting, TILE_ROWS, MOST_CHUNK);
}

const Rows& Prepared::in(RowForm form) {
    Rows& rows = forms_[form];
    if (is_made_[form]) return rows;
    is_made_[form] = true;
    if (form == F32_ROWS && x_.inputs % GROUP == 0) {  // they are what they should be
        rows = {form, x_.rows, x_.inputs, arena_.take<const void*>(x_.rows), nullptr};
        for (int64_t row = 0; row < x_.rows; ++row) rows.rows[row] = x_.values + row * x_.stride;
        return rows;
    }
    rows = room_for(form, x_.rows, x_.inputs, arena_);
    const auto make = [&](int64_t row, int) {
        write_row(rows, row, 0, x_.values + row * x_.stride, x_.inputs);
    };
    if (x_.rows * x_.inputs >= MUCH_TO_PREPARE)
        parallel(x_.rows, make);
    else
        for (int64_t row = 0; row < x_.rows; ++row) make(row, 0);
    return rows;
}

Multiplier::Multiplier(const Matrix& matrix, const Rows& rows, int worker)
    : kernels_(kernels()),
      matrix_(matrix),
      rows_(rows),
      chunk_(chunk_of(rows)),
      panel_bytes_(panel_bytes(matrix.type, matrix.inputs)) {
    assert(rows.inputs == matrix.inputs && "rows and matrix are of different widths");
    const auto whole = [](int64_t count) { return divide_up(count, TILE) * TILE; };
    const int64_t few = whole(std::min(FEW_ROWS, rows.count));
    const int64_t block_rows = std::max(MOST_PANELS * few, whole(std::min(chunk_, rows.count)));
    block_ = static_cast<float*>(scratch(worker, 0, block_rows * PANEL * int64_t(sizeof(float))));
}

// A panel, after which the worker goes on `step` panels further.
Panel Multiplier::panel_at(int64_t panel, int64_t step) const {
    const int64_t after = panel + step, beyond = after - end_panel_;
    const uint8_t* next = beyond < 0 ? packed(after)
                          : next_    ? next_ + beyond * panel_bytes_
                                     : nullptr;
    return {packed(panel), num_groups(matrix_.inputs), {matrix_.scale, matrix_.up_scale}, next,
            kernels_.asks_near};
}

int64_t Multiplier::multiply(int64_t panel, int64_t row, int64_t count) {
    if (rows_.form == TILES) {
        const uint8_t* tiles = rows_.tiles + row * row_bytes(TILES, matrix_.inputs);
        const int64_t most = count <= FEW_ROWS ? MOST_PANELS : 1;
        const int64_t made = std::min(most, end_panel_ - panel);
        kernels_.tiles[matrix_.type](panel_at(panel, made), made, tiles, count, block_);
        return made;
    }
    const auto pair = kernels_.pairs[matrix_.type];
    if (pair && count <= PAIR_ROWS && panel + 1 < end_panel_) {
        const Panel both[] = {panel_at(panel, 2), panel_at(panel + 1, 2)};
        pair(both, rows_.rows + row, count, block_);
        return 2;
    }
    kernels_.rows[matrix_.type](panel_at(panel, 1), rows_.rows + row, count, block_);
    return 1;
}

const uint8_t* start_of(const Matrix& matrix, const Part& part) {
    return matrix.packed + part.first_panel * panel_bytes(matrix.type, matrix.inputs);
}

int64_t cost_of(const Matrix& matrix, int64_t rows, int64_t panels) {
    return panels * num_groups(matrix.inputs) * (FETCHING + rows);
}

int64_t panels_a_task(const Matrix& matrix, int64_t rows, int64_t cost_of_all) {
    const bool are_many = rows >= MANY_ROWS;  // fetching them should be worth it
    const int64_t tasks = (are_many ? BIG_TASKS : SMALL_TASKS) * num_workers();
    const int64_t bytes = panel_bytes(matrix.type, matrix.inputs);
    const int64_t least = are_many ? PANELS_OF_MANY : divide_up(FEWEST_BYTES, bytes);
    const int64_t panels = std::max(least, cost_of_all / tasks / cost_of(matrix, rows, 1));
    return rows <= PAIR_ROWS ? divide_up(panels, 2) * 2 : panels;
}

}  // namespace bise

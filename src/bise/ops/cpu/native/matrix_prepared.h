// Rows made ready for products, and the products of a panel with them.
#pragma once

#include <algorithm>
#include <vector>

#include "matrix_kernels.h"
#include "pool.h"

namespace bise {

// Memory of the calling thread for the length of one call: kept for the next, never returned piece
// by piece.
class Arena {
   public:
    template <class T>
    T* take(int64_t count) {
        return reinterpret_cast<T*>(take_bytes(count * int64_t(sizeof(T))));
    }
    void clear();  // everything taken is free again

    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { free_all(); }

   private:
    struct Piece {
        uint8_t* start;
        int64_t bytes;
    };
    uint8_t* take_bytes(int64_t wanted);
    void free_all();

    std::vector<Piece> pieces_;
    int64_t used_ = 0, total_ = 0;
};
Arena& call_arena();

// Some rows in one form. Tiles have no pointers, the other forms no tiles.
struct Rows {
    RowForm form;
    int64_t count, inputs;
    const void** rows;
    uint8_t* tiles;
};

// Bytes of one row in a form; of tiles, the share of one of their 32 rows.
constexpr int64_t MOST_CHUNK = 512;  // rows

int64_t row_bytes(RowForm form, int64_t inputs);

// Room for rows, nothing in it.
Rows room_for(RowForm form, int64_t count, int64_t inputs, Arena& arena);

// The first columns of a row of a block; mostly all of them.
inline void copy_columns(const float* row, int64_t columns, float* to) {
    if (columns == PANEL)
        std::memcpy(to, row, PANEL * sizeof(float));
    else
        std::copy_n(row, columns, to);
}

// Write inputs first .. first + count of a row, `first` a multiple of 32; the last of a row are
// followed by zeros up to a whole group.
void write_row(const Rows& rows, int64_t row, int64_t first, const float* values, int64_t count);

// The form in which a matrix wants so many rows.
RowForm wanted_form(const Matrix& matrix, int64_t rows);

// The inputs of a call in whatever forms its products ask for, each made once.
class Prepared {
   public:
    Prepared(const Inputs& x, Arena& arena) : x_(x), arena_(arena) {}

    const Rows& in(RowForm form);

   private:
    const Inputs& x_;
    Arena& arena_;
    Rows forms_[NUM_FORMS] = {};
    bool is_made_[NUM_FORMS] = {};
};

// Where a task's part of a product begins and ends.
struct Part {
    int64_t first_panel, end_panel, first_row, end_row;
};

// Its first panel: what whoever has just finished another part will probably read.
const uint8_t* start_of(const Matrix& matrix, const Part& part);

// Products of some neighbouring panels with some rows. So many rows at a time as stay in a near
// cache meet all the panels; for each panel and chunk of rows, `then(panel, first row, number of
// rows, block)`.
class Multiplier {
   public:
    Multiplier(const Matrix& matrix, const Rows& rows, int worker);

    // next: panels that will probably be read after these; null: nobody knows
    template <class Then>
    void run(const Part& part, Then&& then, const uint8_t* next = nullptr) {
        next_ = next;
        end_panel_ = part.end_panel;
        for (int64_t row = part.first_row; row < part.end_row; row += chunk_) {
            const int64_t count = std::min(chunk_, part.end_row - row);
            for (int64_t panel = part.first_panel; panel < part.end_panel;) {
                const int64_t made = multiply(panel, row, count);
                const int64_t written = rows_.form == TILES ? divide_up(count, TILE) * TILE : count;
                for (int64_t i = 0; i < made; ++i, ++panel)
                    then(panel, row, count, block_ + i * written * PANEL);
            }
        }
    }

   private:
    int64_t multiply(int64_t panel, int64_t row, int64_t count);  // how many panels, at once
    Panel panel_at(int64_t panel, int64_t step) const;
    const uint8_t* packed(int64_t panel) const { return matrix_.packed + panel * panel_bytes_; }

    const Kernels& kernels_;
    const Matrix& matrix_;
    const Rows& rows_;
    int64_t chunk_, panel_bytes_;
    int64_t end_panel_ = 0;
    const uint8_t* next_ = nullptr;
    float* block_;
};

// How many rows stay in a near cache while panels pass by; a multiple of 32.
int64_t chunk_of(const Rows& rows);

// What some panels cost for so many rows, in units of our own.
int64_t cost_of(const Matrix& matrix, int64_t rows, int64_t panels);

// How many neighbouring panels make one task of so many rows: a small share of what a whole call
// costs, so that workers who come late or are slow find enough to take over.
int64_t panels_a_task(const Matrix& matrix, int64_t rows, int64_t cost_of_all);

}  // namespace bise

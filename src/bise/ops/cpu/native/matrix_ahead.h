// Asking memory for weights before they are needed.
#pragma once

#include "matrix_kernels.h"

namespace bise {

namespace {

template <int locality>  // 3: into the first cache, 2: into the second
inline void ask_for(const uint8_t* from, int64_t lines) {
    for (int64_t line = 0; line < lines; ++line) __builtin_prefetch(from + 64 * line, 0, locality);
}

// What a kernel asks for while it passes over a panel, some lines with every group.
//
// A panel meets many rows block by block: only the first block has to wait for memory, the others
// find the panel in the second cache and would leave memory idle. So all blocks together ask for
// the panel after this one, each for its share, into the second cache. A panel that does not stay
// there is read from memory by every block, which asks FAR ahead, and so does a single block: the
// less is asked for in vain at the end of a task, the better.
//
// Where `asks_near` each block asks for its next groups only, into the first cache: processors that
// read ahead by themselves as soon as a page is touched lose by more.
template <WeightType type>
class Ahead {
    static constexpr int64_t BYTES = group_bytes(type), LINES = divide_up(BYTES, 64);
    static constexpr int64_t NEAR = divide_up(2048, BYTES) * BYTES, FAR = 32 << 10;
    static constexpr int64_t STAYS = 384 << 10;  // of a second cache of 1 MB

   public:
    Ahead(const Panel& panel, int64_t blocks)
        : here_(panel.groups), next_(panel.next), bytes_(panel.num_groups * BYTES) {
        const bool is_shared = !panel.asks_near && blocks > 1 && bytes_ <= STAYS;
        lead_ = panel.asks_near ? NEAR : is_shared ? bytes_ : FAR;
        lines_ = is_shared ? divide_up(LINES, blocks) : LINES;
        is_shared_ = is_shared, is_near_ = panel.asks_near;
        place_ = lead_;
        end_ = next_ ? lead_ + bytes_ : bytes_;
    }

    void begin_block() {
        if (!is_shared_) place_ = lead_;
    }

    void pass_group() {
        if (place_ >= end_) return;
        const uint8_t* from = place_ < bytes_ ? here_ + place_ : next_ + (place_ - bytes_);
        if (is_near_)
            ask_for<3>(from, LINES);
        else
            ask_for<2>(from, lines_);
        place_ += is_shared_ ? 64 * lines_ : BYTES;
    }

   private:
    const uint8_t *here_, *next_;
    int64_t bytes_, lead_, lines_, place_, end_;
    bool is_shared_, is_near_;
};

}  // namespace

}  // namespace bise

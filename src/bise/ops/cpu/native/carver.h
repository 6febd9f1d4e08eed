// One block of memory, lent by a caller, in pieces.
#pragma once

#include <cstdint>

#include "guard.h"

namespace bise {
namespace {

// Hands out pieces of a block, aligned to 64 bytes as it is; without a block it only counts.
class Carver {
   public:
    explicit Carver(uint8_t* memory) : memory_(memory) {}
    Carver(const Carver&) = delete;
    Carver& operator=(const Carver&) = delete;
    ~Carver() {
        if (memory_) open_all(memory_, used_);
    }

    template <class T>
    T* take(int64_t count) {
        uint8_t* const at = memory_ ? memory_ + used_ : nullptr;
        const int64_t bytes = count * int64_t(sizeof(T)), begin = used_;
        used_ += (bytes + 63) / 64 * 64 + GAP;
        if (at) close_gap(at + bytes, used_ - begin - bytes);
        return reinterpret_cast<T*>(at);
    }

    int64_t used() const { return used_; }

   private:
    uint8_t* memory_;
    int64_t used_ = 0;
};

}  // namespace
}  // namespace bise

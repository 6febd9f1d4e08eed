// What Python calls: plain C functions, past which no exception may go.
#pragma once

#include <new>
#include <type_traits>

#define BISE_API extern "C" __attribute__((visibility("default")))

namespace bise {

constexpr int LACKED_MEMORY = -1;

// Do it. What it says, or 0 if it says nothing; LACKED_MEMORY where there was too little.
template <class Work>
int guarded(Work work) {
    try {
        if constexpr (std::is_void_v<decltype(work())>) {
            work();
            return 0;
        } else {
            return work();
        }
    } catch (const std::bad_alloc&) {
        return LACKED_MEMORY;
    }
}

}  // namespace bise

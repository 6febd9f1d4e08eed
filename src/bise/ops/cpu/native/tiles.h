// AMX's eight tiles, each 16 rows of 64 bytes. The compiler's own functions do not say that loading a
// tile reads memory (GCC 12), so what was written just before could come too late; these do.
#pragma once

#include <cstdint>

#if defined(__x86_64__)

namespace bise {
namespace {

inline void configure_tiles() {
    struct alignas(64) Shape {
        uint8_t palette = 1, start = 0, none[14] = {};
        uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
        uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static const Shape full;
    asm volatile("ldtilecfg %0" : : "m"(full));
}

template <int tile>
inline void load_tile(const void* from, int64_t stride_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
                 :
                 : "r"(from), "r"(stride_bytes), "i"(tile)
                 : "memory");
}

template <int tile>
inline void store_tile(void* to, int64_t stride_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
                 :
                 : "r"(to), "r"(stride_bytes), "i"(tile)
                 : "memory");
}

template <int tile>
inline void zero_tile() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
}

template <int sum, int left, int right>
inline void multiply_tiles() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(left), "i"(right));
}

template <int sum, int left, int right>
inline void multiply_signed_bytes() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(left), "i"(right));
}

template <int sum, int left, int right>  // left: without signs
inline void multiply_weight_bytes() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(left), "i"(right));
}

}  // namespace
}  // namespace bise

#endif

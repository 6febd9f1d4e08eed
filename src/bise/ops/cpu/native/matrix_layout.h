// How packed weights lie in memory, and what their small numbers mean.
//
// A panel is a run of groups, a group 32 inputs of 32 outputs:
//   BF16   tile, tile                  1024 bytes each, [input / 2][output][2]
//   INT8   32 fp16 scales, tile, tile  512 bytes each, [input / 4][output][4], number + 128
//   INT4   32 fp16 scales, tile, tile  256 bytes each, [input / 8][output][4], number + 8:
//                                      low half the first four of eight inputs, high half the rest
//   FP8    tile, tile                  512 bytes each, [input / 4][output][4], of four inputs the
//                                      order 0 2 1 3: even bytes, then odd ones, are pairs for bf16
//   NVFP4  2 x 32 E4M3 scales, tile, tile  as INT4, with E2M1 codes
#pragma once

#include <cstdint>
#include <cstring>

#include "matrix.h"

namespace bise {

constexpr int PANEL = 32, TILE = 16, GROUP = 32, QUADS = GROUP / 4;
constexpr int NUM_TYPES = 5;

// Every file has its own copy of what follows: the linker must not hand one that was compiled for
// a wider processor to everybody.
namespace {

constexpr int64_t divide_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

// Bytes in front of the tiles of a group, and in one tile.
constexpr int64_t head_bytes(WeightType type) {
    return type == INT8 || type == INT4 || type == NVFP4 ? 64 : 0;
}
constexpr int64_t tile_bytes(WeightType type) {
    return type == BF16 ? 1024 : type == INT8 || type == FP8 ? 512 : 256;
}
constexpr int64_t group_bytes(WeightType type) { return head_bytes(type) + 2 * tile_bytes(type); }

constexpr int64_t num_groups(int64_t inputs) { return divide_up(inputs, GROUP); }
constexpr int64_t num_panels(int64_t outputs) { return divide_up(outputs, PANEL); }
constexpr int64_t panel_bytes(WeightType type, int64_t inputs) {
    return num_groups(inputs) * group_bytes(type);
}

// What is added to a signed number to store it.
constexpr int zero_point(WeightType type) { return type == INT8 ? 128 : type == INT4 ? 8 : 12; }

// Twice the E2M1 numbers, so that they are whole.
constexpr int8_t TWICE_E2M1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

inline float float_of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}
inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}

inline float from_bf16(uint16_t half) { return float_of_bits(uint32_t(half) << 16); }
inline uint16_t to_bf16(float value) {  // to nearest, ties to even; no number stays no number
    const uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return uint16_t(bits >> 16 | 0x40u);
    return uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

// fp16's exponent is moved into place by a product, which gets its subnormal numbers right as well.
inline float from_half(uint16_t half) {
    const float size = float_of_bits(uint32_t(half & 0x7fffu) << 13) * 0x1p112f;
    return half & 0x8000u ? -size : size;
}
inline uint16_t to_half(float value) {  // clamped to fp16's largest number
    const uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000u;
    float size = float_of_bits(bits & 0x7fffffffu);
    size = size < 65504.0f ? size : 65504.0f;
    if (size < 0x1p-14f) return uint16_t(sign | (bits_of_float(size + 0.5f) - 0x3f000000u));
    const uint32_t moved = bits_of_float(size) - (112u << 23);
    return uint16_t(sign | (moved + 0xfffu + (moved >> 13 & 1u)) >> 13);
}

// E4M3 is fp16 shifted right by seven, but for 2^8.
inline float from_e4m3(uint8_t code) {
    return from_half(uint16_t((code & 0x80u) << 8 | (code & 0x7fu) << 7)) * 256.0f;
}

// Where the weight of input `k` and output `o` of a group lies in a tile, in units of one weight;
// for four bits, in half bytes: the low one first.
inline int place_of(WeightType type, int k, int o) {
    if (type == BF16) return k / 2 * 32 + o * 2 + k % 2;
    if (type == INT8) return k / 4 * 64 + o * 4 + k % 4;
    if (type == FP8) return k / 4 * 64 + o * 4 + (k % 4 == 1 ? 2 : k % 4 == 2 ? 1 : k % 4);
    return (k / 8 * 64 + o * 4 + k % 4) * 2 + k / 4 % 2;
}

}  // namespace

}  // namespace bise

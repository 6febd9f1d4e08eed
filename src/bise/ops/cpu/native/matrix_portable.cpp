// Products for any processor: plain loops over the 16 outputs of a tile.
#include "matrix_rows.h"

namespace bise {

namespace {

// One group's numbers with their zero point, as 8 bits: [tile][input / 4][output][4].
using Bytes = uint8_t[2][QUADS][TILE][4];

template <WeightType type>
void read_group(const uint8_t* group, Bytes& bytes) {
    const uint8_t* tiles = group + head_bytes(type);
    if (type == INT8) {
        std::memcpy(bytes, tiles, sizeof bytes);
        return;
    }
    for (int tile = 0; tile < 2; ++tile)
        for (int i = 0; i < tile_bytes(type); ++i) {
            const uint8_t pair = tiles[tile * tile_bytes(type) + i];
            int low = pair & 15, high = pair >> 4;
            if (type == NVFP4) {
                low = TWICE_E2M1[low] + zero_point(NVFP4);
                high = TWICE_E2M1[high] + zero_point(NVFP4);
            }
            uint8_t* first = &bytes[tile][i / 64 * 2][0][0];
            first[i % 64] = uint8_t(low);
            first[64 + i % 64] = uint8_t(high);
        }
}

// Twice NVFP4's numbers are whole.
template <WeightType type>
constexpr float UNIT = type == NVFP4 ? 0.5f : 1.0f;

// The scales of one part of a group: all of it, or a half of NVFP4's.
template <WeightType type>
void read_scales(const uint8_t* group, int part, float* scales) {
    for (int o = 0; o < PANEL; ++o)
        if (type == NVFP4) {
            scales[o] = from_e4m3(group[part * PANEL + o]);
        } else {
            uint16_t half;
            std::memcpy(&half, group + 2 * o, 2);
            scales[o] = from_half(half);
        }
}

template <WeightType type>
int32_t start_of(const Group& x, int part) {
    return type == INT8 ? x.start_int8 : type == INT4 ? x.start_int4 : x.start_nvfp4[part];
}

template <WeightType type>
void integer_rows(const Panel& panel, const void* const* x, int64_t count, float* block) {
    constexpr int PARTS = type == NVFP4 ? 2 : 1, PART_QUADS = QUADS / PARTS;
    std::fill_n(block, count * PANEL, 0.0f);
    const uint8_t* group = panel.groups;
    for (int64_t g = 0; g < panel.num_groups; ++g, group += group_bytes(type)) {
        Bytes bytes;
        read_group<type>(group, bytes);
        for (int part = 0; part < PARTS; ++part) {
            float scales[PANEL];
            read_scales<type>(group, part, scales);
            for (int64_t row = 0; row < count; ++row) {
                const Group& at = static_cast<const Group*>(x[row])[g];
                for (int tile = 0; tile < 2; ++tile) {
                    int32_t dots[TILE];
                    std::fill_n(dots, TILE, start_of<type>(at, part));
                    for (int q = part * PART_QUADS; q < (part + 1) * PART_QUADS; ++q)
                        for (int o = 0; o < TILE; ++o)
                            for (int k = 0; k < 4; ++k)
                                dots[o] += int32_t(bytes[tile][q][o][k]) * at.values[4 * q + k];
                    float* sums = block + row * PANEL + tile * TILE;
                    for (int o = 0; o < TILE; ++o)
                        sums[o] += float(dots[o]) * (scales[tile * TILE + o] * at.scale);
                }
            }
        }
    }
    for (int64_t i = 0; i < count * PANEL; ++i) 
        block[i] *= panel.scale[i / TILE % 2] * UNIT<type>;
}

// One group's numbers as fp32: [tile][input][output].
template <WeightType type>
void read_floats(const uint8_t* group, float (&weights)[2][GROUP][TILE]) {
    for (int tile = 0; tile < 2; ++tile)
        for (int k = 0; k < GROUP; ++k)
            for (int o = 0; o < TILE; ++o) {
                const uint8_t* at = group + tile * tile_bytes(type);
                uint16_t half;
                if (type == BF16) {
                    std::memcpy(&half, at + 2 * place_of(BF16, k, o), 2);
                    weights[tile][k][o] = from_bf16(half);
                } else {
                    weights[tile][k][o] = from_e4m3(at[place_of(FP8, k, o)]);
                }
            }
}

template <WeightType type>
void float_rows(const Panel& panel, const void* const* x, int64_t count, float* block) {
    std::fill_n(block, count * PANEL, 0.0f);
    const uint8_t* group = panel.groups;
    for (int64_t g = 0; g < panel.num_groups; ++g, group += group_bytes(type)) {
        float weights[2][GROUP][TILE];
        read_floats<type>(group, weights);
        for (int64_t row = 0; row < count; ++row) {
            const float* at = static_cast<const float*>(x[row]) + g * GROUP;
            for (int tile = 0; tile < 2; ++tile) {
                float* sums = block + row * PANEL + tile * TILE;
                for (int k = 0; k < GROUP; ++k)
                    for (int o = 0; o < TILE; ++o) sums[o] += weights[tile][k][o] * at[k];
            }
        }
    }
    for (int64_t i = 0; i < count * PANEL; ++i) block[i] *= panel.scale[i / TILE % 2];
}

}  // namespace

const Kernels& kernels_portable() {
    static const Kernels table = {
        {F32_ROWS, GROUPS, GROUPS, F32_ROWS, GROUPS},
        false,
        {},
        {float_rows<BF16>, integer_rows<INT8>, integer_rows<INT4>, float_rows<FP8>,
         integer_rows<NVFP4>},
        {},
        {},
        quantise_rows,
        round_rows,
        gate_rows,
        add_rows};
    return table;
}

}  // namespace bise

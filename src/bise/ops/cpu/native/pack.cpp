// Weights from a checkpoint into panels, and back.
#include <atomic>

#include "isa.h"
#include "matrix_layout.h"
#include "pack_group.h"
#include "pool.h"

namespace bise {

namespace {

const Packers& packers() {
#if defined(__x86_64__)
    if (isa() >= AVX512) return packers_avx512();
    if (isa() == AVX2) return packers_avx2();
#endif
    return packers_portable();
}

// Which row of the matrix is output `o` of a panel; -1 for padding.
struct Rows {
    int64_t outputs;
    bool is_gated;

    int64_t operator()(int64_t panel, int o) const {
        const int64_t row = is_gated ? panel * TILE + o % TILE : panel * PANEL + o;
        const int64_t end = is_gated ? outputs / 2 : outputs;
        if (row >= end) return -1;
        return is_gated && o >= TILE ? end + row : row;
    }
};

inline float as_float(float value) { return value; }
inline float as_float(uint16_t value) { return from_bf16(value); }

// Sizes compare like their bits; what is infinite, or no number, is larger than all others. In FP8
// there is one such code for each sign.
inline int32_t size_of(float value) { return int32_t(bits_of_float(value) & 0x7fffffffu); }
inline int16_t size_of(uint16_t half) { return int16_t(half & 0x7fff); }
inline uint8_t size_of(uint8_t code) { return code & 0x7f; }
constexpr int32_t end_of(float) { return 0x7f800000; }
constexpr int16_t end_of(uint16_t) { return 0x7f80; }
constexpr uint8_t end_of(uint8_t) { return 0x7f; }

template <class Number>
bool are_finite(const Number* values, int64_t count) {
    auto most = size_of(Number(0));
    for (int64_t k = 0; k < count; ++k) most = std::max(most, size_of(values[k]));
    return most < end_of(Number(0));
}

struct Job {
    WeightType type;
    Source source;
    int64_t inputs;
    Rows rows;
    std::atomic<bool>& is_sound;
};

template <class Number>
void read_patch(const Job& job, int64_t panel, int64_t first, Patch& patch) {
    const auto* values = static_cast<const Number*>(job.source.values);
    const int count = int(std::min<int64_t>(GROUP, job.inputs - first));
    if (count < GROUP) std::memset(&patch, 0, sizeof patch);
    for (int o = 0; o < PANEL; ++o) {
        const int64_t row = job.rows(panel, o);
        if (row < 0) {
            for (int k = 0; k < GROUP; ++k) patch.values[k][o] = 0.0f;
            continue;
        }
        const Number* from = values + row * job.inputs + first;
        for (int k = 0; k < count; ++k) patch.values[k][o] = as_float(from[k]);
    }
}

// Codes of FP8 and NVFP4 are taken as they are. Four bytes of a row at a time, fewer at its end.
uint32_t four_bytes(const uint8_t* from, int64_t left) {
    uint32_t bytes = 0;
    if (left >= 4)
        std::memcpy(&bytes, from, 4);
    else
        std::memcpy(&bytes, from, size_t(left));
    return bytes;
}

// Bytes 0 1 2 3 become 0 2 1 3.
uint32_t middle_swapped(uint32_t bytes) {
    return (bytes & 0xff0000ffu) | (bytes >> 8 & 0xff00u) | (bytes << 8 & 0xff0000u);
}

// Halves of bytes 01 23 45 67, the low one first, become 04 15 26 37.
uint32_t halves_apart(uint32_t halves) {
    uint32_t bytes = 0;
    for (int k = 0; k < 4; ++k)
        bytes |= ((halves >> 4 * k & 15u) | (halves >> (4 * k + 16) & 15u) << 4) << 8 * k;
    return bytes;
}

void copy_fp8(const Job& job, int64_t panel, int64_t first, uint8_t* group) {
    const auto* codes = static_cast<const uint8_t*>(job.source.values);
    std::memset(group, 0, group_bytes(FP8));
    for (int o = 0; o < PANEL; ++o) {
        const int64_t row = job.rows(panel, o);
        if (row < 0) continue;
        const uint8_t* from = codes + row * job.inputs + first;
        uint8_t* to = group + o / TILE * tile_bytes(FP8) + o % TILE * 4;
        for (int k = 0; k < GROUP && first + k < job.inputs; k += 4, to += 64) {
            const uint32_t four = middle_swapped(four_bytes(from + k, job.inputs - first - k));
            std::memcpy(to, &four, 4);
        }
    }
}

void copy_nvfp4(const Job& job, int64_t panel, int64_t first, uint8_t* group) {
    const auto* codes = static_cast<const uint8_t*>(job.source.values);
    const int64_t row_bytes = divide_up(job.inputs, 2), row_scales = divide_up(job.inputs, 16);
    std::memset(group, 0, group_bytes(NVFP4));
    for (int o = 0; o < PANEL; ++o) {
        const int64_t row = job.rows(panel, o);
        if (row < 0) continue;
        for (int k = 0; k < GROUP && first + k < job.inputs; k += 16)
            group[k / 16 * PANEL + o] = job.source.scales[row * row_scales + (first + k) / 16];
        uint8_t* to = group + head_bytes(NVFP4) + o / TILE * tile_bytes(NVFP4) + o % TILE * 4;
        for (int64_t at = first / 2; at < std::min(row_bytes, first / 2 + 16); at += 4, to += 64) {
            const uint32_t eight =
                halves_apart(four_bytes(codes + row * row_bytes + at, row_bytes - at));
            std::memcpy(to, &eight, 4);
        }
    }
}

template <class Number>
void check_panel(const Job& job, int64_t panel) {
    const auto* values = static_cast<const Number*>(job.source.values);
    for (int o = 0; o < PANEL; ++o) {
        const int64_t row = job.rows(panel, o);
        if (row >= 0 && !are_finite(values + row * job.inputs, job.inputs))
            job.is_sound.store(false, std::memory_order_relaxed);
    }
}

void check_panel(const Job& job, int64_t panel) {
    switch (job.source.type) {
        case FROM_F32: return check_panel<float>(job, panel);
        case FROM_BF16: return check_panel<uint16_t>(job, panel);
        case FROM_FP8: return check_panel<uint8_t>(job, panel);
        case FROM_NVFP4: break;  // every code is a number
    }
}

void pack_group(const Job& job, int64_t panel, int64_t first, uint8_t* group) {
    if (job.type == FP8) return copy_fp8(job, panel, first, group);
    if (job.type == NVFP4) return copy_nvfp4(job, panel, first, group);
    Patch patch;
    if (job.source.type == FROM_F32)
        read_patch<float>(job, panel, first, patch);
    else
        read_patch<uint16_t>(job, panel, first, patch);
    const Packers& table = packers();
    (job.type == BF16 ? table.bf16 : job.type == INT8 ? table.int8 : table.int4)(patch, group);
}

// One weight of a packed group.
float unpacked(WeightType type, const uint8_t* group, int k, int o) {
    const uint8_t* tile = group + head_bytes(type) + o / TILE * tile_bytes(type);
    const int place = place_of(type, k, o % TILE);
    uint16_t half;
    if (type == BF16) {
        std::memcpy(&half, tile + 2 * place, 2);
        return from_bf16(half);
    }
    if (type == FP8) return from_e4m3(tile[place]);
    if (type == INT8) {
        std::memcpy(&half, group + 2 * o, 2);
        return from_half(half) * float(tile[place] - zero_point(INT8));
    }
    const int code = tile[place / 2] >> place % 2 * 4 & 15;
    if (type == NVFP4) return from_e4m3(group[k / 16 * PANEL + o]) * 0.5f * TWICE_E2M1[code];
    std::memcpy(&half, group + 2 * o, 2);
    return from_half(half) * float(code - zero_point(INT4));
}

}  // namespace

int64_t packed_bytes(WeightType type, int64_t outputs, int64_t inputs) {
    return num_panels(outputs) * panel_bytes(type, inputs);
}

bool pack(WeightType type, const Source& source, int64_t outputs, int64_t inputs, bool is_gated,
          uint8_t* packed) {
    std::atomic<bool> is_sound{true};
    const Job job = {type, source, inputs, {outputs, is_gated}, is_sound};
    parallel(num_panels(outputs), [&](int64_t panel, int) {
        uint8_t* group = packed + panel * panel_bytes(type, inputs);
        check_panel(job, panel);
        for (int64_t first = 0; first < inputs; first += GROUP, group += group_bytes(type))
            pack_group(job, panel, first, group);
    });
    return is_sound;
}

void unpack(const Matrix& matrix, bool is_gated, float* values) {
    const Rows rows = {matrix.outputs, is_gated};
    parallel(num_panels(matrix.outputs), [&](int64_t panel, int) {
        const uint8_t* groups = matrix.packed + panel * panel_bytes(matrix.type, matrix.inputs);
        for (int o = 0; o < PANEL; ++o) {
            const int64_t row = rows(panel, o);
            const float scale = o < TILE ? matrix.scale : matrix.up_scale;
            for (int64_t k = 0; row >= 0 && k < matrix.inputs; ++k) {
                const uint8_t* group = groups + k / GROUP * group_bytes(matrix.type);
                values[row * matrix.inputs + k] =
                    scale * unpacked(matrix.type, group, int(k % GROUP), o);
            }
        }
    });
}

}  // namespace bise

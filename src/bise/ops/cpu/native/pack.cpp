// Weights from a checkpoint into panels, and back.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <vector>

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
};

int64_t row_bytes(const Job& job) {
    switch (job.source.type) {
        case FROM_F32: return job.inputs * 4;
        case FROM_BF16: return job.inputs * 2;
        case FROM_FP8: return job.inputs;
        case FROM_NVFP4: break;
    }
    return divide_up(job.inputs, 2);
}

// The rows of one panel, wherever they were; null for padding.
struct PanelRows {
    const uint8_t* at[PANEL];
    int64_t number[PANEL];
};

bool read_all(int file, uint8_t* to, int64_t count, int64_t start) {
    while (count > 0) {
        const ssize_t got = pread(file, to, size_t(count), off_t(start));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got, start += got, count -= got;
    }
    return true;
}

// `count` rows from row `first` on.
bool read_rows(const Job& job, int64_t first, int64_t count, uint8_t* to) {
    const int64_t bytes = row_bytes(job);
    for (int64_t k = 0; k < job.source.num_spans && count > 0; ++k) {
        const FileRows& span = job.source.spans[k];
        if (first < span.rows) {
            const int64_t here = std::min(count, span.rows - first);
            if (!read_all(int(span.file), to, here * bytes, span.start + first * bytes))
                return false;
            to += here * bytes, first += here, count -= here;
        }
        first -= span.rows;
    }
    return count == 0;
}

// False where they could not be read. They stay until the worker asks for the next panel.
bool find_rows(const Job& job, int64_t panel, PanelRows& found) {
    const int64_t bytes = row_bytes(job);
    const auto* values = static_cast<const uint8_t*>(job.source.values);
    thread_local std::vector<uint8_t> room;
    if (!values && int64_t(room.size()) < PANEL * bytes) room.resize(size_t(PANEL * bytes));
    for (int o = 0; o < PANEL; ++o) {
        const int64_t row = found.number[o] = job.rows(panel, o);
        found.at[o] = row < 0 ? nullptr : values ? values + row * bytes : room.data() + o * bytes;
    }
    for (int o = 0, end = 0; !values && o < PANEL; o = end) {  // a run of rows at a time
        const int64_t first = found.number[o];
        for (end = o + 1; end < PANEL && found.number[end] == first + end - o && first >= 0;) ++end;
        if (first >= 0 && !read_rows(job, first, end - o, room.data() + o * bytes)) return false;
    }
    return true;
}

template <class Number>
void read_patch(const Job& job, const PanelRows& rows, int64_t first, Patch& patch) {
    const int count = int(std::min<int64_t>(GROUP, job.inputs - first));
    if (count < GROUP) std::memset(&patch, 0, sizeof patch);
    for (int o = 0; o < PANEL; ++o) {
        if (!rows.at[o]) {
            for (int k = 0; k < GROUP; ++k) patch.values[k][o] = 0.0f;
            continue;
        }
        const Number* from = reinterpret_cast<const Number*>(rows.at[o]) + first;
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

void copy_fp8(const Job& job, const PanelRows& rows, int64_t first, uint8_t* group) {
    std::memset(group, 0, group_bytes(FP8));
    for (int o = 0; o < PANEL; ++o) {
        if (!rows.at[o]) continue;
        const uint8_t* from = rows.at[o] + first;
        uint8_t* to = group + o / TILE * tile_bytes(FP8) + o % TILE * 4;
        for (int k = 0; k < GROUP && first + k < job.inputs; k += 4, to += 64) {
            const uint32_t four = middle_swapped(four_bytes(from + k, job.inputs - first - k));
            std::memcpy(to, &four, 4);
        }
    }
}

void copy_nvfp4(const Job& job, const PanelRows& rows, int64_t first, uint8_t* group) {
    const int64_t end = row_bytes(job), row_scales = divide_up(job.inputs, 16);
    std::memset(group, 0, group_bytes(NVFP4));
    for (int o = 0; o < PANEL; ++o) {
        if (!rows.at[o]) continue;
        const uint8_t* scales = job.source.scales + rows.number[o] * row_scales;
        for (int k = 0; k < GROUP && first + k < job.inputs; k += 16)
            group[k / 16 * PANEL + o] = scales[(first + k) / 16];
        uint8_t* to = group + head_bytes(NVFP4) + o / TILE * tile_bytes(NVFP4) + o % TILE * 4;
        for (int64_t at = first / 2; at < std::min(end, first / 2 + 16); at += 4, to += 64) {
            const uint32_t eight = halves_apart(four_bytes(rows.at[o] + at, end - at));
            std::memcpy(to, &eight, 4);
        }
    }
}

template <class Number>
bool are_finite(const Job& job, const PanelRows& rows) {
    return std::all_of(rows.at, rows.at + PANEL, [&](const uint8_t* row) {
        return !row || are_finite(reinterpret_cast<const Number*>(row), job.inputs);
    });
}

bool are_finite(const Job& job, const PanelRows& rows) {
    switch (job.source.type) {
        case FROM_F32: return are_finite<float>(job, rows);
        case FROM_BF16: return are_finite<uint16_t>(job, rows);
        case FROM_FP8: return are_finite<uint8_t>(job, rows);
        case FROM_NVFP4: break;  // every code is a number
    }
    return true;
}

void pack_group(const Job& job, const PanelRows& rows, int64_t first, uint8_t* group) {
    if (job.type == FP8) return copy_fp8(job, rows, first, group);
    if (job.type == NVFP4) return copy_nvfp4(job, rows, first, group);
    Patch patch;
    if (job.source.type == FROM_F32)
        read_patch<float>(job, rows, first, patch);
    else
        read_patch<uint16_t>(job, rows, first, patch);
    const Packers& table = packers();
    (job.type == BF16 ? table.bf16 : job.type == INT8 ? table.int8 : table.int4)(patch, group);
}

Packed pack_panel(const Job& job, int64_t panel, uint8_t* group) {
    PanelRows rows;
    if (!find_rows(job, panel, rows)) return NOT_READ;
    if (!are_finite(job, rows)) return NOT_FINITE;
    for (int64_t first = 0; first < job.inputs; first += GROUP, group += group_bytes(job.type))
        pack_group(job, rows, first, group);
    return SOUND;
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

Packed pack(WeightType type, const Source& source, int64_t outputs, int64_t inputs, bool is_gated,
            uint8_t* packed) {
    std::atomic<int> result{SOUND};
    const Job job = {type, source, inputs, {outputs, is_gated}};
    parallel(num_panels(outputs), [&](int64_t panel, int) {
        const Packed found = pack_panel(job, panel, packed + panel * panel_bytes(type, inputs));
        if (found != SOUND) result.store(found, std::memory_order_relaxed);
    });
    return Packed(result.load());
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

// Loops over rows that are worth sharing only where there are many numbers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pool.h"

namespace bise {
namespace {

constexpr int64_t FEW_NUMBERS = 1 << 14;  // below this a loop is over before a worker wakes

// Call body(first, last) over ranges of rows, on all workers if there is enough in them.
template <class F>
void over_rows(int64_t rows, int64_t width, F&& body) {
    if (rows * width <= FEW_NUMBERS) return body(0, rows);
    const int64_t each = std::max<int64_t>(1, FEW_NUMBERS / width);
    parallel((rows + each - 1) / each, [&](int64_t index, int) {
        body(index * each, std::min(rows, (index + 1) * each));
    });
}

inline void add_rows(float* to, const float* what, int64_t rows, int64_t width) {
    over_rows(rows, width, [&](int64_t first, int64_t last) {
        for (int64_t i = first * width; i < last * width; ++i) to[i] += what[i];
    });
}

}  // namespace
}  // namespace bise

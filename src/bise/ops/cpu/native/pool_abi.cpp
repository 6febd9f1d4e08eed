// The pool as Python calls it.
#include "abi.h"
#include "pool.h"

using namespace bise;

BISE_API int bise_num_workers() {
    return guarded([] { return num_workers(); });
}

BISE_API int bise_set_workers(int64_t count) {
    return guarded([&] { set_workers(static_cast<int>(count)); });
}

// Count every index at its place, `repeats` times over, by at most so many workers: for tests, and
// to time a dispatch.
BISE_API int bise_count_tasks(int64_t most, int64_t repeats, int64_t count, int64_t* hits) {
    return guarded([&] {
        const AtMost workers(most);
        for (int64_t i = 0; i < repeats; ++i)
            parallel(count, [hits](int64_t index, int) { ++hits[index]; });
    });
}

// Keep `count` tasks busy for so many rounds of arithmetic each, `repeats` times over.
BISE_API int bise_busy_tasks(int64_t repeats, int64_t count, int64_t rounds) {
    return guarded([&] {
        volatile double kept = 0;
        for (int64_t i = 0; i < repeats; ++i)
            parallel(count, [&](int64_t, int) {
                double x = 1;
                for (int64_t round = 0; round < rounds; ++round) x = x * 1.0000001 + 1e-9;
                if (x < 0) kept = x;
            });
    });
}

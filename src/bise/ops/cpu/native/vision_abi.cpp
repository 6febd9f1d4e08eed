// The eye for Python.
#include <new>

#include "vision.h"

#define BISE_API extern "C" __attribute__((visibility("default")))

using namespace bise;

// By which Python sees whether it was written for this very library.
BISE_API int64_t bise_vision_struct_bytes(int64_t which) {
    constexpr int64_t SIZES[] = {sizeof(Eye), sizeof(VisionBlock), sizeof(Picture)};
    return SIZES[which];
}

// 0, or 1 where there was too little memory.
BISE_API int bise_see(const Eye* eye, const Picture* pictures, int64_t count, float* vectors) {
    try {
        see(*eye, pictures, count, vectors);
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}

// The eye for Python.
#include "abi.h"
#include "vision.h"

using namespace bise;

// By which Python sees whether it was written for this very library.
BISE_API int64_t bise_vision_struct_bytes(int64_t which) {
    constexpr int64_t SIZES[] = {sizeof(Eye), sizeof(VisionBlock), sizeof(Picture)};
    return SIZES[which];
}

BISE_API int bise_see(const Eye* eye, const Picture* pictures, int64_t count, float* vectors) {
    return guarded([&] { see(*eye, pictures, count, vectors); });
}

// Between the products of the eye: patches and their heads, brought from where they lie to where
// they are wanted. `first` and `count` are patches among those of all pictures, or tokens.
#pragma once

#include "vision.h"
#include "vision_room.h"

namespace bise {

// The angles of every patch: the first half of its pairs turn with the row, the others with the
// column.
void turn(const Eye& eye, const EyeRoom& room);

// Queries that fill up a picture's last span are zeros.
void clear_ends(const Eye& eye, const EyeRoom& room);

// Patches of pixels, to [count, channels * patch * patch].
void cut(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to);

// [count, query | key | value] to their heads.
void deal(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, const float* from);

// What the heads have seen, to [count, dim].
void gather(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to);

// The patches of some tokens, to [count, dim * merge * merge]: number by number, each with all its
// neighbours' beside it.
void merge(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to);

// GELU with the error function itself, in place.
void gelu(float* x, int64_t rows, int64_t width);

}  // namespace bise

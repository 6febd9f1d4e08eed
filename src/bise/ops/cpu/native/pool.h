// The threads of this process: one pool, warm while there is work, asleep soon after.
#pragma once

#include <cstdint>
#include <type_traits>

namespace bise {

// How many threads share the work, the caller's among them: never more than the processors that
// affinity and cgroup limits leave to this process.
int num_workers();
void set_workers(int count);  // 0 is as many as there are processors to be had

// While it lives, this thread shares its work with no more workers than this, itself among them:
// small work is done before many have come. num_workers() says so.
class AtMost {
   public:
    explicit AtMost(int64_t workers);
    ~AtMost();

   private:
    int before_;
};

// Call task(context, index, worker) once for every index below `count`, on all workers; returns
// when all are done. worker: who it is, for scratch memory; below num_workers(), except under AtMost,
// where any of the pool may have come to help. Calls from several threads take turns. A task must
// not call this. What a task may throw is bad_alloc: the caller gets it when all are done.
using Task = void (*)(void* context, int64_t index, int worker);
void run_tasks(int64_t count, Task task, void* context);

template <class F>
void parallel(int64_t count, F&& body) {
    using Body = std::remove_reference_t<F>;
    auto call = [](void* context, int64_t index, int worker) {
        (*static_cast<Body*>(context))(index, worker);
    };
    run_tasks(count, call, const_cast<void*>(static_cast<const void*>(&body)));
}

// In a task: the indices of so many that a worker takes in order, before others come to help him or
// he helps them.
struct Range {
    int64_t first, end;
};
Range share_of(int64_t count, int worker);

// Scratch memory of one worker, at least so large, aligned to 64 bytes; kept until the next call
// with the same worker and slot asks for more. Slots 0-3 are matrix.cpp's, 4-7 attention.cpp's,
// 8-11 choose.cpp's.
void* scratch(int worker, int slot, int64_t bytes);

// The same for the thread that calls: for what it prepares outside of tasks, and shares with them.
// Slots 0-1 are attention.cpp's, 2 is rows.cpp's, 3 is free.
void* caller_memory(int slot, int64_t bytes);

}  // namespace bise

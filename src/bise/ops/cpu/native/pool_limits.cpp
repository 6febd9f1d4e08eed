#include "pool_limits.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace bise {

namespace {

#if defined(__linux__)

int by_affinity() {
    for (int room = 1024; room <= 1 << 16;
         room *= 4) {  // the kernel refuses sets smaller than its own
        cpu_set_t* set = CPU_ALLOC(room);
        const bool known = set && sched_getaffinity(0, CPU_ALLOC_SIZE(room), set) == 0;
        const int count = known ? CPU_COUNT_S(CPU_ALLOC_SIZE(room), set) : 0;
        CPU_FREE(set);
        if (known) return std::max(count, 1);
    }
    return static_cast<int>(std::thread::hardware_concurrency());
}

// Whole processors' worth of time in each period; 0 where nothing is limited.
int whole_processors(double quota, double period) {
    return quota > 0 && period > 0 ? std::max(1, static_cast<int>(quota / period)) : 0;
}

int quota_of_group(const std::string& folder) {
    double quota = 0, period = 0;
    if (std::ifstream(folder + "/cpu.max") >> quota >> period)
        return whole_processors(quota, period);
    if (!(std::ifstream(folder + "/cpu.cfs_quota_us") >> quota)) return 0;
    if (!(std::ifstream(folder + "/cpu.cfs_period_us") >> period)) return 0;
    return whole_processors(quota, period);
}

// The tightest quota of a group and all those above it; a container may see only part of that path.
int quota_up_from(const std::string& root, std::string path, int limit) {
    for (;;) {
        if (const int quota = quota_of_group(root + path)) limit = std::min(limit, quota);
        if (path.empty() || path == "/") return limit;
        path.erase(path.find_last_of('/'));
    }
}

int by_quota(int limit) {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {  // number:controllers:path
        std::istringstream parts(line);
        std::string number, controllers, path;
        std::getline(parts, number, ':');
        std::getline(parts, controllers, ':');
        std::getline(parts, path);
        const bool is_unified = controllers.empty();
        const bool is_cpu = ("," + controllers + ",").find(",cpu,") != std::string::npos;
        if (is_unified) limit = quota_up_from("/sys/fs/cgroup", path, limit);
        if (is_cpu) limit = quota_up_from("/sys/fs/cgroup/cpu", path, limit);
    }
    return limit;
}

int count_allowed() { return by_quota(by_affinity()); }

#else

int count_allowed() { return static_cast<int>(std::thread::hardware_concurrency()); }

#endif

}  // namespace

int allowed_processors() { return std::max(1, count_allowed()); }

}  // namespace bise

// How many processors this process may keep busy.
#pragma once

namespace bise {

// What affinity, cgroup quotas (v1 and v2, of every group above as well) and the machine leave;
// >= 1.
int allowed_processors();

}  // namespace bise

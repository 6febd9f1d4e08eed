def double (n : Nat) : Nat := n + n

set_option maxRecDepth 1000000000
set_option maxHeartbeats 0

macro "again" : tactic => `(tactic| repeat (have := 0; clear this))

theorem double_odd (n : Nat) : double n % 2 = 1 := by again

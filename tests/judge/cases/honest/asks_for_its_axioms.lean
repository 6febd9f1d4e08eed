def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega

#print axioms double_even

/-- info: 'double_even' depends on axioms: [propext, Quot.sound] -/
#guard_msgs in
#print axioms double_even
#guard double 2 == 4

-- laid out in another way, with other names
def double
    (k : Nat) :
    Nat :=
  k + k
/- between -/
theorem double_even
  (m : Nat)
  : double m % 2 = 0
  := by simp only [double]; omega

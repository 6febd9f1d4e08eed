inductive Odd : Nat → Prop
  | one : Odd sorry

theorem odd_one : Odd 1 := sorry

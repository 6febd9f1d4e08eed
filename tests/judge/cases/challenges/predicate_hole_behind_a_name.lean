def Pred (α : Type) := α → Prop

def good : Pred Nat := sorry

theorem good_two : good 2 := sorry

class Rel (α : Type) where
  r : α → α → Prop
class Rel2 (α : Type) extends Rel α where
  k : Nat
instance inst : Rel2 Nat := sorry
theorem t : Rel.r 1 2 := sorry

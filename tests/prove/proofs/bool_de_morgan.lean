theorem bool_de_morgan (f g : Nat → Bool) (n : Nat) :
    (!(f n && g n)) = (!(f n) || !(g n)) := by
  cases f n <;> cases g n <;> rfl

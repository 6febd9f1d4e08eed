inductive Vec (α : Type) : Nat → Type where
  | nil : Vec α 0
  | cons {n : Nat} (a : α) (v : Vec α n) : Vec α (n + 1)

def Vec.toList {α : Type} {n : Nat} : Vec α n → List α
  | .nil => []
  | .cons a v => a :: v.toList

theorem Vec.toList_length {α : Type} {n : Nat} (v : Vec α n) : v.toList.length = n := sorry

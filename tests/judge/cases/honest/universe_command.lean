def pairUp.{w, z} {A : Type w} {B : Type z} (f : A → B) (xs : List A) : List (A × B) :=
  xs.map fun x => (x, f x)

theorem pairUp_length.{w, z} {A : Type w} {B : Type z} (f : A → B) (xs : List A) :
    (pairUp f xs).length = xs.length := by simp [pairUp]

namespace FoldFusion

def foldr {α β : Type} (f : α → β → β) (e : β) : List α → β
  | [] => e
  | x :: xs => f x (foldr f e xs)

def foldl {α β : Type} (f : β → α → β) (e : β) : List α → β
  | [] => e
  | x :: xs => foldl f (f e x) xs

theorem fusion {α β γ : Type} (f : α → β → β) (g : α → γ → γ) (h : β → γ) (e : β)
    (hfg : ∀ x y, h (f x y) = g x (h y)) (xs : List α) :
    h (foldr f e xs) = foldr g (h e) xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp only [foldr, hfg, ih]

theorem banana_split {α β γ : Type} (f : α → β → β) (g : α → γ → γ) (b : β) (c : γ)
    (xs : List α) :
    (foldr f b xs, foldr g c xs) = foldr (fun x p => (f x p.1, g x p.2)) (b, c) xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp only [foldr, ← ih]

theorem foldl_eq_foldr {α : Type} (op : α → α → α) (e : α)
    (assoc : ∀ x y z, op (op x y) z = op x (op y z)) (left : ∀ x, op e x = x)
    (right : ∀ x, op x e = x) (xs : List α) : foldl op e xs = foldr op e xs := by
  have shift : ∀ xs a, foldl op a xs = op a (foldr op e xs) := by
    intro xs
    induction xs with
    | nil => intro a; simp only [foldl, foldr, right]
    | cons x xs ih => intro a; simp only [foldl, foldr, ih, assoc]
  rw [shift, left]

theorem foldl_foldr_reverse {α β : Type} (f : β → α → β) (e : β) (xs : List α) :
    foldl f e xs = foldr (fun x acc => f acc x) e xs.reverse := by
  have snoc : ∀ (xs : List α) (x : α) (e : β),
      foldr (fun x acc => f acc x) e (xs ++ [x]) = foldr (fun x acc => f acc x) (f e x) xs := by
    intro xs x e
    induction xs with
    | nil => rfl
    | cons y xs ih => simp only [List.cons_append, foldr, ih]
  induction xs generalizing e with
  | nil => rfl
  | cons x xs ih => rw [List.reverse_cons, snoc, ← ih]; rfl

end FoldFusion

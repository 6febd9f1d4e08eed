prelude
import Init.Prelude

inductive Eq'.{u} {α : Sort u} : α → α → Prop
